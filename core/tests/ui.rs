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

#[test]
fn mistakes_are_explained_and_compositions_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
