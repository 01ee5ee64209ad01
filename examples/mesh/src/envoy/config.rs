//! Renders one Envoy's bootstrap.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{
    proxy::{Hop, Proxy, Role, SERVICE_PORT},
    tracing,
};
use crate::app::{Direction, Protocol};

/// The bootstrap of one Envoy. Envoy reads JSON wherever it reads YAML.
pub fn bootstrap(proxy: &Proxy) -> Value {
    let upstream = |hop: &Hop| cluster(&cluster_name(proxy, hop), hop.upstream, hop.protocol);
    let mut clusters: Vec<Value> = proxy.hops.iter().map(upstream).collect();
    if let Some(to) = &proxy.tracing
        && let Some(protocol) = tracing::collector_protocol(to.tracer)
    {
        clusters.push(cluster(tracing::COLLECTOR, to.collector, protocol));
    }
    let runtime = proxy.tracing.map_or_else(|| json!({}), |to| tracing::runtime(to.tracer));
    json!({
        "node": { "id": proxy.node_id(), "cluster": proxy.service },
        "admin": { "address": socket(proxy.admin) },
        "layered_runtime": { "layers": [{ "name": "demo", "static_layer": runtime }] },
        "static_resources": {
            "listeners": proxy.hops.iter().map(|hop| listener(proxy, hop)).collect::<Vec<_>>(),
            "clusters": clusters,
        },
    })
}

fn listener(proxy: &Proxy, hop: &Hop) -> Value {
    let (traffic, word) = match hop.direction {
        Direction::Ingress => ("INBOUND", "inbound"),
        Direction::Egress => ("OUTBOUND", "outbound"),
    };
    json!({
        "name": format!("{word}_{}", hop.to),
        "address": socket(hop.listen),
        "traffic_direction": traffic,
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": connection_manager(proxy, hop, word),
        }] }],
    })
}

fn connection_manager(proxy: &Proxy, hop: &Hop, word: &str) -> Value {
    let at_the_edge = proxy.role == Role::Gateway;
    let mut manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": format!("{word}_{}", hop.to),
        // At the edge a client's own request id is replaced; inside, it is what ties the hops together.
        "use_remote_address": at_the_edge,
        "always_set_request_id_in_response": at_the_edge,
        "request_id_extension": { "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
            "use_request_id_for_trace_sampling": true,
        } },
        "route_config": route(proxy, hop),
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
    });
    if let Some(to) = proxy.tracing {
        manager["tracing"] = tracing::settings(proxy, hop, to);
    }
    manager
}

fn route(proxy: &Proxy, hop: &Hop) -> Value {
    let authority = proxy.mesh_authority(&hop.to);
    let mut action = json!({
        "cluster": cluster_name(proxy, hop),
        // As in Istio: no limit of the proxy's own.
        "timeout": "0s",
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,unavailable,cancelled",
            "num_retries": 2,
        },
    });
    if proxy.role == Role::Sidecar && hop.direction == Direction::Egress {
        // There is no DNS for `reviews` here: the app calls a loopback port, and from here on the request carries the
        // name that it would have had.
        action["host_rewrite_literal"] = format!("{}:{SERVICE_PORT}", hop.to).into();
    }
    json!({
        "name": hop.to,
        "virtual_hosts": [{
            "name": authority,
            "domains": ["*"],
            "routes": [{
                "match": { "prefix": "/" },
                "decorator": { "operation": format!("{authority}/*") },
                "route": action,
            }],
        }],
    })
}

fn cluster_name(proxy: &Proxy, hop: &Hop) -> String {
    match hop.direction {
        Direction::Ingress => format!("inbound|{SERVICE_PORT}||"),
        Direction::Egress => {
            format!("outbound|{SERVICE_PORT}||{}.{}.svc.cluster.local", hop.to, proxy.namespace)
        }
    }
}

fn cluster(name: &str, to: SocketAddr, protocol: Protocol) -> Value {
    let protocol = match protocol {
        Protocol::Http => json!({ "http_protocol_options": {} }),
        Protocol::Grpc => json!({ "http2_protocol_options": {} }),
    };
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                // Node closes idle connections after 5 s: letting go first avoids sending into one that is closing.
                "common_http_protocol_options": { "idle_timeout": "2s" },
                "explicit_http_config": protocol,
            },
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": socket(to) } }] }],
        },
    })
}

fn socket(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}

#[cfg(test)]
mod tests {
    use super::{super::tracing::Tracing, *};
    use crate::tracer::Tracer;

    fn address(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn sidecar() -> Value {
        traced_by(Some(Tracer::Zipkin))
    }

    fn traced_by(tracer: Option<Tracer>) -> Value {
        bootstrap(&Proxy {
            service: "reviews".into(),
            namespace: "bookinfo".into(),
            role: Role::Sidecar,
            admin: address(1),
            tracing: tracer.map(|tracer| Tracing { tracer, sampling: 100.0, collector: address(2) }),
            hops: vec![
                Hop {
                    direction: Direction::Ingress,
                    to: "reviews".into(),
                    protocol: Protocol::Http,
                    listen: address(3),
                    upstream: address(4),
                },
                Hop {
                    direction: Direction::Egress,
                    to: "ratings".into(),
                    protocol: Protocol::Grpc,
                    listen: address(5),
                    upstream: address(6),
                },
            ],
        })
    }

    fn manager(config: &Value, listener: usize) -> &Value {
        &config["static_resources"]["listeners"][listener]["filter_chains"][0]["filters"][0]["typed_config"]
    }

    #[test]
    fn the_tracer_is_set_as_istio_sets_it() {
        let config = sidecar();
        let tracer = &manager(&config, 0)["tracing"]["provider"]["typed_config"];
        assert_eq!(tracer["collector_endpoint"], "/api/v2/spans");
        assert_eq!(tracer["collector_endpoint_version"], "HTTP_JSON");
        assert_eq!(tracer["trace_id_128bit"], true);
        assert_eq!(tracer["shared_span_context"], false);
        assert_eq!(tracer["trace_context_option"], "USE_B3");
        assert_eq!(manager(&config, 0)["tracing"].get("spawn_upstream_span"), None);
    }

    #[test]
    fn skywalking_alone_gets_a_span_of_the_upstream_call() {
        for tracer in Tracer::ALL {
            let config = traced_by(Some(tracer));
            let spawns = manager(&config, 1)["tracing"]["spawn_upstream_span"].as_bool().unwrap_or(false);
            assert_eq!(spawns, tracer == Tracer::SkyWalking, "{tracer}");
        }
    }

    #[test]
    fn without_a_tracer_there_is_no_tracing_and_no_cluster_for_it() {
        let config = traced_by(None);
        assert_eq!(manager(&config, 0).get("tracing"), None);
        assert_eq!(config["static_resources"]["clusters"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn the_direction_of_a_listener_decides_the_kind_of_its_spans() {
        let config = sidecar();
        let listeners = &config["static_resources"]["listeners"];
        assert_eq!(listeners[0]["traffic_direction"], "INBOUND");
        assert_eq!(listeners[1]["traffic_direction"], "OUTBOUND");
    }

    #[test]
    fn a_grpc_service_is_called_over_http_2_and_nothing_else_is() {
        let config = sidecar();
        let options = |cluster: usize| {
            let options =
                &config["static_resources"]["clusters"][cluster]["typed_extension_protocol_options"];
            options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]["explicit_http_config"]
                .to_string()
        };
        assert_eq!(options(0), r#"{"http_protocol_options":{}}"#, "reviews");
        assert_eq!(options(1), r#"{"http2_protocol_options":{}}"#, "ratings");
        assert_eq!(options(2), r#"{"http_protocol_options":{}}"#, "the collector");
    }

    #[test]
    fn an_egress_hop_names_its_upstream_as_in_the_mesh() {
        let config = sidecar();
        let host = &manager(&config, 1)["route_config"]["virtual_hosts"][0];
        assert_eq!(host["routes"][0]["decorator"]["operation"], "ratings.bookinfo.svc.cluster.local:9080/*");
        assert_eq!(host["routes"][0]["route"]["host_rewrite_literal"], "ratings:9080");
        assert_eq!(
            host["routes"][0]["route"]["cluster"],
            "outbound|9080||ratings.bookinfo.svc.cluster.local"
        );
    }
}
