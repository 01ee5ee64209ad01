//! What the compiler says of `#[propagate]`: one mistake a file, named as the mistake, and what it composes with.
#![cfg(all(feature = "macros", feature = "axum"))]

#[test]
fn mistakes_are_explained_and_compositions_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
