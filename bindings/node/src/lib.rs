//! Node bindings of onward.
