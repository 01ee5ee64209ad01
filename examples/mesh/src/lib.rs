//! Runs an Istio-like mesh on one machine: real Envoy sidecars, a span collector, a trace viewer.
