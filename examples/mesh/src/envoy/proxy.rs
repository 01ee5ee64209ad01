//! One Envoy of the mesh, as the plan that its configuration is rendered from.

use std::net::SocketAddr;

use super::tracing::Tracing;

/// A gateway or a sidecar.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// What its spans are reported under: the service's name, or `gateway`.
    pub service: String,
    /// The app's name, as a namespace.
    pub namespace: String,
    /// Whether it is the edge of the mesh.
    pub role: Role,
    /// Where its admin interface listens.
    pub admin: SocketAddr,
    /// How it traces; not at all if `None`.
    pub tracing: Option<Tracing>,
    /// Its listeners.
    pub hops: Vec<Hop>,
}

/// The two places that Istio runs an Envoy in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// At the edge: takes no trace decision and no request id from clients.
    Gateway,
    /// Beside a service.
    Sidecar,
}

/// A listener with one route.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Which way it goes; decides the kind of the span.
    pub direction: crate::app::Direction,
    /// Name of the service at its far end.
    pub to: String,
    /// What that service speaks.
    pub protocol: crate::app::Protocol,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where it sends to.
    pub upstream: SocketAddr,
}

impl Proxy {
    /// The node id, in Istio's form: `sidecar~127.0.0.1~reviews.bookinfo~bookinfo.svc.cluster.local`.
    pub fn node_id(&self) -> String {
        let role = match self.role {
            Role::Gateway => "router",
            Role::Sidecar => "sidecar",
        };
        let Self { service, namespace, .. } = self;
        format!("{role}~127.0.0.1~{service}.{namespace}~{namespace}.svc.cluster.local")
    }

    /// The host and port that a service has inside the mesh: `reviews.bookinfo.svc.cluster.local:9080`.
    pub fn mesh_authority(&self, service: &str) -> String {
        format!("{service}.{}.svc.cluster.local:{SERVICE_PORT}", self.namespace)
    }
}

/// The port that every service has in the mesh's own terms (operation names, cluster names). What is bound on
/// loopback are other ports, since all services share one address here.
pub const SERVICE_PORT: u16 = 9080;
