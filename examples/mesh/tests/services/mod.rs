//! Bookinfo with the services that were built; `cargo xtask test` names them in `ONWARD_DEMO_PYTHON`, `ONWARD_DEMO_NODE`
//! and `ONWARD_DEMO_REVIEWS`.

use std::path::{Path, PathBuf};

use onward_mesh::{
    app::App,
    apps::bookinfo::{self, Form},
};

pub(crate) fn bookinfo(form: Form) -> App {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let [python, node, reviews] = ["PYTHON", "NODE", "REVIEWS"].map(|tool| {
        let name = format!("ONWARD_DEMO_{tool}");
        PathBuf::from(
            std::env::var_os(&name).unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test`")),
        )
    });
    bookinfo::app(&bookinfo::Tools { root, python: &python, node: &node, reviews: &reviews, form })
}
