//! Python bindings of onward.
