//! Who listens where: the ports of one mesh and the Envoys that join them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
};

use crate::{
    app::{App, Direction, Environment, GATEWAY, Launch, PortIn, Service},
    envoy::{
        proxy::{Hop, Proxy, Role},
        tracing::Tracing,
    },
    error::MeshError,
    ports::Ports,
};

/// The addresses of a mesh.
#[derive(Debug)]
pub struct Layout {
    /// Where requests go in.
    pub gateway: SocketAddr,
    /// The gateway's Envoy.
    pub gateway_proxy: Proxy,
    /// One seat per service of the app, in its order.
    pub seats: Vec<Seat>,
}

/// A service's place in the mesh.
#[derive(Debug)]
pub struct Seat {
    /// Where the service itself listens.
    pub service: SocketAddr,
    /// What the service is told about its upstreams.
    pub env: Environment,
    /// Its sidecar.
    pub proxy: Proxy,
}

impl Layout {
    /// Chooses an address for everything. `gateway_port` is a wish of the user.
    ///
    /// A service reaches each upstream through a listener of its own sidecar on a port of its own: Istio tells
    /// upstreams apart by the host name, for which this machine has no DNS. The destination is loopback, which is
    /// in-mesh (rule R8), as `reviews:9080` is in a cluster.
    ///
    /// # Errors
    ///
    /// [`MeshError::PortTaken`] and [`MeshError::NoFreePort`].
    pub fn choose(
        app: &App,
        tracing: Option<Tracing>,
        gateway_port: Option<u16>,
        ports: &mut Ports,
    ) -> Result<Self, MeshError> {
        let gateway = local(ports.take(gateway_port)?);
        let mut ingress = Vec::new();
        for service in &app.services {
            ingress.push((service, local(ports.choose()?)));
        }
        let egress_to = |name: &str, listen: SocketAddr| {
            let (service, upstream) = ingress
                .iter()
                .find(|(service, _)| service.name == name)
                .ok_or_else(|| MeshError::App(format!("{name:?} is called, but no service has that name")))?;
            Ok(hop(Direction::Egress, service, listen, *upstream))
        };
        let proxy = |service: &str, role, admin, hops| Proxy {
            service: service.into(),
            namespace: app.name.clone(),
            role,
            admin,
            tracing,
            hops,
        };
        let entry = egress_to(&app.entry, gateway)?;
        let gateway_proxy = proxy(GATEWAY, Role::Gateway, local(ports.choose()?), vec![entry]);
        let mut seats = Vec::new();
        for (service, listen) in &ingress {
            let own = local(ports.choose()?);
            let mut hops = vec![hop(Direction::Ingress, service, *listen, own)];
            let env = egress(service, &mut hops, ports, egress_to)?;
            let proxy = proxy(&service.name, Role::Sidecar, local(ports.choose()?), hops);
            seats.push(Seat { service: own, env, proxy });
        }
        Ok(Self { gateway, gateway_proxy, seats })
    }
}

fn hop(direction: Direction, to: &Service, listen: SocketAddr, upstream: SocketAddr) -> Hop {
    Hop { direction, to: to.name.clone(), protocol: to.protocol, listen, upstream }
}

/// Adds a listener per upstream and returns what the service is told about them.
fn egress(
    service: &Service,
    hops: &mut Vec<Hop>,
    ports: &mut Ports,
    egress_to: impl Fn(&str, SocketAddr) -> Result<Hop, MeshError>,
) -> Result<Environment, MeshError> {
    let mut env = Environment::new();
    for call in &service.calls {
        if env.contains_key(&call.port_env) {
            // The same upstream again: one listener is enough.
            continue;
        }
        let listen = local(ports.choose()?);
        hops.push(egress_to(&call.to, listen)?);
        env.insert(call.host_env.clone(), listen.ip().to_string());
        env.insert(call.port_env.clone(), listen.port().to_string());
    }
    Ok(env)
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The command line of a service, with its port and its environment.
pub fn command(launch: &Launch, seat: &Seat, extra: &[(&str, &str)]) -> Command {
    let mut command = Command::new(&launch.program);
    let port = seat.service.port().to_string();
    command.args(&launch.args).env("HOST", seat.service.ip().to_string());
    match &launch.port {
        PortIn::LastArgument => command.arg(port),
        PortIn::Env(name) => command.env(name, port),
    };
    // A proxy of the user's own must not come between a service and its sidecar.
    command.env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost");
    command.envs(&seat.env).envs(launch.env.iter().cloned()).envs(extra.iter().copied());
    if let Some(dir) = &launch.dir {
        command.current_dir(dir);
    }
    command
}
