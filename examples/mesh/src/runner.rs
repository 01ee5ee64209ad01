//! Starts a mesh, watches it and takes it down.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    app::{App, Environment, GATEWAY, Start},
    backend::{Backend, Site},
    collector::{server, store::Store, xray::Daemon},
    envoy::{self, config, proxy::Proxy, tracing::Tracing},
    error::MeshError,
    layout::{self, Layout, Seat},
    ports::{self, Ports},
    process::{self, Process},
    progress::Progress,
    ready::{self, Probe},
    tracer::Tracer,
};

/// Tells the example services to leave Onward out when it is `off`.
pub const FORWARDING_VARIABLE: &str = "ONWARD_DEMO_FORWARDING";

/// Tells Onward in a service which headers there are beside the default ones.
const PRESETS_VARIABLE: &str = "ONWARD_PRESETS";

/// How a mesh is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The Envoy binary, for example from [`envoy::find`].
    pub envoy: PathBuf,
    /// Where requests go in; a free port if `None`.
    pub gateway_port: Option<u16>,
    /// Where the collector and its viewer listen; a free port if `None`.
    pub viewer_port: Option<u16>,
    /// The tracer of every Envoy; none traces if `None`.
    pub tracer: Option<Tracer>,
    /// How many percent of the requests without a decision an Envoy traces, from 0 to 100.
    pub sampling: f64,
    /// What the Envoys report to; to the embedded collector if `None`.
    pub backend: Option<Backend>,
    /// Where the Envoys report to, whatever listens there; to the backend or the embedded collector if `None`.
    pub report_to: Option<SocketAddr>,
    /// Whether the services forward their headers.
    pub forwarding: bool,
    /// How many spans the collector keeps.
    pub max_spans: usize,
    /// How long everything together may take to become ready.
    pub ready_within: Duration,
}

impl Options {
    /// Free ports, Zipkin's tracer for all traffic, forwarding on, room for 200,000 spans, one minute to start.
    pub fn new(envoy: PathBuf) -> Self {
        Self {
            envoy,
            gateway_port: None,
            viewer_port: None,
            tracer: Some(Tracer::default()),
            sampling: 100.0,
            backend: None,
            report_to: None,
            forwarding: true,
            max_spans: 200_000,
            ready_within: Duration::from_secs(60),
        }
    }
}

/// A mesh that runs. Dropping it stops every process that it has started and removes its files, also in a panic.
#[derive(Debug)]
pub struct Mesh {
    gateway: SocketAddr,
    viewer: SocketAddr,
    store: Arc<Store>,
    processes: Vec<Process>,
    tasks: Vec<JoinHandle<()>>,
    daemon: Option<Daemon>,
    backend: Option<Site>,
    // Last: the processes write into it until they are gone.
    files: TempDir,
}

impl Mesh {
    /// Starts the collector, the services, their sidecars and the gateway, and waits until all of them answer.
    ///
    /// # Errors
    ///
    /// A [`MeshError`] that names what failed; nothing is left running then.
    pub async fn start(app: &App, options: &Options, progress: Progress) -> Result<Self, MeshError> {
        app.shape()?;
        let mut ports = Ports::default();
        let collector = ports::bind(options.viewer_port.unwrap_or(0))?;
        let viewer = local_address(&collector)?;
        let files = tempfile::Builder::new()
            .prefix("onward-mesh-")
            .tempdir()
            .map_err(MeshError::io("cannot make a directory for logs and configurations"))?;
        let store = Arc::new(Store::new(options.max_spans));
        let tracer = options.tracer.unwrap_or_default();
        let backend = options.backend.as_ref().map(|backend| backend.site(tracer, &mut ports)).transpose()?;
        let report_to =
            options.report_to.unwrap_or_else(|| backend.as_ref().map_or(viewer, |site| site.spans));
        let tracing = |tracer| Tracing { tracer, sampling: options.sampling, collector: report_to };
        let layout = Layout::choose(app, options.tracer.map(tracing), options.gateway_port, &mut ports)?;
        let mut mesh = Self {
            gateway: layout.gateway,
            viewer,
            store: Arc::clone(&store),
            processes: Vec::new(),
            tasks: Vec::new(),
            daemon: None,
            backend,
            files,
        };
        if options.tracer == Some(Tracer::XRay) && options.report_to.is_none() {
            mesh.daemon = Some(Daemon::start(viewer, Arc::clone(&mesh.store))?);
        }
        let collector = asynchronous(collector)?;
        mesh.tasks.push(tokio::spawn(async move {
            // It ends only with the mesh; what it fails with then helps nobody.
            let _ = server::serve(collector, store, std::future::pending::<()>()).await;
        }));
        let step = progress.step(format!(
            "starting {} services, {} Envoys",
            app.services.len(),
            app.services.len() + 1
        ));
        let probes = mesh.launch(app, &layout, ports, options)?;
        let total = probes.len();
        let mut up = 0;
        ready::wait(probes, &mut mesh.processes, options.ready_within, |name| {
            up += 1;
            step.note(format!("{name} is ready ({up} of {total})"));
        })
        .await?;
        step.done();
        Ok(mesh)
    }

    fn launch(
        &mut self,
        app: &App,
        layout: &Layout,
        mut ports: Ports,
        options: &Options,
    ) -> Result<Vec<Probe>, MeshError> {
        // Said in both cases: a variable of the user's own must not decide.
        let forwarding = (FORWARDING_VARIABLE, if options.forwarding { "on" } else { "off" });
        let presets = options.tracer.and_then(Tracer::presets).map(|presets| (PRESETS_VARIABLE, presets));
        let extra: &Vec<_> = &[forwarding].into_iter().chain(presets).collect();
        let services = || app.services.iter().zip(&layout.seats);
        for (service, seat) in services() {
            if let (Start::Task(serve), Some(listener)) =
                (&service.start, ports.listener(seat.service.port()))
            {
                self.tasks.push(tokio::spawn(serve(asynchronous(listener)?, environment(seat, extra))));
            }
        }
        ports.release();
        let mut probes = Vec::new();
        if let Some(site) = &self.backend {
            let command = site.command(self.files.path())?;
            self.processes.push(Process::spawn(site.kind().name(), command, self.files.path())?);
            probes.push(site.probe());
        }
        for (service, seat) in services() {
            if let Start::Command(launch) = &service.start {
                let command = layout::command(launch, seat, extra);
                self.processes.push(Process::spawn(&service.name, command, self.files.path())?);
            }
            probes.push(Probe {
                name: service.name.clone(),
                address: seat.service,
                path: service.health.clone(),
            });
            probes.push(self.launch_envoy(&seat.proxy, &format!("{}-sidecar", service.name), options)?);
        }
        probes.push(self.launch_envoy(&layout.gateway_proxy, GATEWAY, options)?);
        Ok(probes)
    }

    fn launch_envoy(&mut self, proxy: &Proxy, name: &str, options: &Options) -> Result<Probe, MeshError> {
        let file = self.files.path().join(format!("{name}.json"));
        let text = config::bootstrap(proxy).to_string();
        fs::write(&file, text).map_err(MeshError::io(format!("cannot write {}", file.display())))?;
        let command = envoy::command(&options.envoy, &file);
        self.processes.push(Process::spawn(name, command, self.files.path())?);
        Ok(Probe { name: name.into(), address: proxy.admin, path: "/ready".into() })
    }

    /// Where requests go in.
    pub fn gateway(&self) -> SocketAddr {
        self.gateway
    }

    /// The backend that runs in place of the embedded collector.
    pub fn backend(&self) -> Option<&Site> {
        self.backend.as_ref()
    }

    /// Where the collector and its viewer listen.
    pub fn viewer(&self) -> SocketAddr {
        self.viewer
    }

    /// Reads what the backend holds into the store; what the Envoys report to the embedded collector is there already.
    ///
    /// # Errors
    ///
    /// [`MeshError::Backend`].
    pub async fn fetch(&self) -> Result<(), MeshError> {
        if let Some(site) = &self.backend {
            self.store.add(site.fetch().await?);
        }
        Ok(())
    }

    /// The spans that were collected so far.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Where logs and configurations are, as long as the mesh runs.
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    /// The ids of the processes that it has started.
    pub fn process_ids(&self) -> Vec<u32> {
        self.processes.iter().map(Process::id).collect()
    }

    /// Fails if one of the processes has ended by itself.
    ///
    /// # Errors
    ///
    /// [`MeshError::Died`] with the end of its log.
    pub fn check(&mut self) -> Result<(), MeshError> {
        self.processes.iter_mut().try_for_each(Process::check)
    }

    /// Stops everything. The same as dropping it, said aloud.
    pub fn stop(self) {}
}

impl Drop for Mesh {
    fn drop(&mut self) {
        process::stop_all(&mut self.processes);
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn environment(seat: &Seat, extra: &[(&str, &str)]) -> Environment {
    let extra = extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    seat.env.clone().into_iter().chain(extra).collect()
}

fn asynchronous(listener: std::net::TcpListener) -> Result<tokio::net::TcpListener, MeshError> {
    listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(listener))
        .map_err(MeshError::io("cannot listen"))
}

fn local_address(listener: &std::net::TcpListener) -> Result<SocketAddr, MeshError> {
    listener.local_addr().map_err(MeshError::io("cannot tell the address of a listener"))
}
