//! Keeps distributed traces whole: forwards trace and context headers from each inbound request to every outbound one.
