//! What the compiler says of `#[propagate]`: one mistake a file, named as the mistake, and what it composes with.
// The compiler lists the types that implement `Extract`; a framework of another kind would add its own.
#![cfg(all(
    feature = "macros",
    feature = "axum",
    not(any(
        feature = "actix",
        feature = "lapin",
        feature = "poem",
        feature = "rocket",
        feature = "salvo",
        feature = "tonic"
    ))
))]

use std::path::Path;
use std::process::Command;

/// Whether the compiler has the standard library's sources, and quotes them where it points there.
fn quotes_std() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = Command::new(rustc).args(["--print", "sysroot"]).output().expect("rustc starts").stdout;
    Path::new(String::from_utf8_lossy(&sysroot).trim()).join("lib/rustlib/src/rust").exists()
}

#[test]
fn mistakes_are_explained_and_compositions_compile() {
    assert!(!quotes_std(), "the messages here are those of a compiler without rustup's component `rust-src`");
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
