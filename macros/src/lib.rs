//! The #[propagate] attribute of the crate onward.
