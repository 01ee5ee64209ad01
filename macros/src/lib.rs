//! The attribute `#[propagate]` of the crate onward. Use it from there.
//!
//! The files are the pipeline: `args` reads the attribute, `check` finds where the headers are, `kind` says how the
//! function runs, `expand` wraps the body.

mod args;
mod check;
mod expand;
mod kind;
mod policy;

use proc_macro::TokenStream;
use quote::ToTokens;

/// Captures the inbound request's headers and keeps them in scope while the handler runs.
///
/// # Why
///
/// Every outbound call of a handler has to carry the headers of the inbound request, or the trace breaks. The attribute
/// puts them in scope, and a wrapped client takes them from there:
///
/// ```
/// # mod handlers {
/// use http::HeaderMap;
///
/// #[onward::propagate]
/// async fn reviews(headers: HeaderMap, id: u32) -> String {
///     // Everything that is called from here has them in `onward::current()`.
///     format!("{id}: {} headers go on", onward::current().len())
/// }
/// # }
/// ```
///
/// # What it expands to
///
/// Only the body changes, and an argument is added if no other [holds the headers](#where-the-headers-come-from):
///
/// ```
/// # use http::HeaderMap;
/// async fn reviews(headers: HeaderMap, id: u32) -> String {
///     let captured = onward::default_propagator().extract(&headers);
///     onward::in_scope(captured, async move {
///         format!("{id}: {} headers go on", onward::current().len())
///     })
///     .await
/// }
/// ```
///
/// A sync function holds the guard of `onward::enter(captured)` instead. A function that returns a future (`impl Future`,
/// or boxed, as `async_trait` writes it) returns that future in scope.
///
/// # Where the headers come from
///
/// - An argument whose type is named `HeaderMap`, `Request`, `Parts`, `HttpRequest`, `ServiceRequest` or `MetadataMap`, by
///   value or by reference.
/// - Otherwise, the value of `from = expression`, which may use any argument, `self` included.
/// - Otherwise, in an async function without `self`, or above a route attribute, an extractor that is added as the first
///   argument. That is what a handler of actix-web, axum, poem, Rocket and salvo needs (the crate onward's feature of that
///   name).
///
/// On an `impl` block, every method that has such an argument is wrapped, and the others are unchanged.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `from = expr` | where the headers are: anything that implements `onward::Extract` |
/// | `preset = "w3c"` | this preset rather than those of the default policy; may be repeated |
/// | `add = "x-tenant-id"` | one more header, or `"x-canary-*"`; may be repeated |
/// | `except = "cookie"` | a header that this handler does not forward, or `"x-b3-*"`; may be repeated |
/// | `propagator = expr` | a propagator of your own instead of the process's default |
/// | `crate = path` | the path of the crate onward, for crates that re-export it |
///
/// A header that no policy may list is a compile error.
///
/// # With other attributes
///
/// Either order works with `#[tracing::instrument]`, with `#[async_trait]` and `#[tonic::async_trait]`, on the method or on
/// the block, and with actix-web's route attributes.
///
/// `#[axum::debug_handler]` and the route attributes of Rocket, poem and salvo (`#[get("/")]`, `#[handler]`) read the
/// arguments of the function that they see. Where one is added, `#[propagate]` goes above them; in the other order the
/// compiler misses an argument of type `PropagateGoesAbove`. Where an argument holds the headers, either order works.
///
/// # Limitations
///
/// A macro sees names, not types. Under an alias, or as a generic, a carrier is not recognised; say `from = headers`:
///
/// ```compile_fail
/// type Inbound = http::HeaderMap;
///
/// #[onward::propagate]
/// fn reviews(headers: Inbound) {}
/// # fn main() {}
/// ```
///
/// A closure takes no attribute; `onward::propagated(closure)` does the same for it:
///
/// ```compile_fail
/// let handler = #[onward::propagate] |request: http::Request<()>| async move { drop(request) };
/// ```
///
/// A `const fn` handles no request:
///
/// ```compile_fail
/// #[onward::propagate]
/// const fn reviews(headers: &http::HeaderMap) {}
/// # fn main() {}
/// ```
///
/// Tasks and threads that the handler starts are outside its scope: carry it there with `onward::carry` and
/// `onward::carry_fn`.
#[proc_macro_attribute]
pub fn propagate(args: TokenStream, item: TokenStream) -> TokenStream {
    let function = item.clone();
    match expand::propagate(args.into(), item.into()) {
        Ok(tokens) => tokens.into(),
        Err(error) => {
            // The user's function stays, so that there is one message and not one per caller.
            let mut tokens = error.into_compile_error();
            proc_macro2::TokenStream::from(function).to_tokens(&mut tokens);
            tokens.into()
        }
    }
}
