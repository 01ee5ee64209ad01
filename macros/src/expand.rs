//! Wraps the body of a function in the scope of its request's headers.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Block, Error, FnArg, Ident, ItemFn, LitStr, Path, Result, ReturnType, Type, parse_quote,
    parse_quote_spanned,
};

use crate::args::Args;
use crate::check::{self, Carrier};
use crate::kind::Kind;

pub(crate) fn propagate(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let args = Args::parse(args)?;
    let mut function: ItemFn = syn::parse2(item.clone()).map_err(|_| {
        Error::new_spanned(
            item.into_iter().next().map(TokenStream::from),
            "`#[propagate]` goes on a function or a method",
        )
    })?;
    let onward = args.krate.clone().unwrap_or_else(|| parse_quote!(::onward));
    let mut items = quote!();
    let captured = match check::carrier(&mut function, &args)? {
        Carrier::Expr(expr, span) => {
            let propagator = propagator(&args, &onward);
            // On the span of the user's type or expression, so that a missing `Extract` is reported there.
            quote_spanned!(span=> #onward::__private::extract(#propagator, &#expr))
        }
        Carrier::Extractor => {
            let marker = marker(&args, &onward, &function.sig.ident, &mut items);
            let name = Ident::new("__onward_captured", Span::mixed_site());
            let argument: FnArg = parse_quote!(#name: #onward::__private::Captured<#marker>);
            function.sig.inputs.insert(0, argument);
            let span = function.sig.ident.span();
            quote_spanned!(span=> #onward::__private::captured(#name))
        }
    };
    wrap(&mut function, &onward, &captured);
    Ok(quote!(#items #function))
}

/// Puts the captured headers in scope while the body runs.
fn wrap(function: &mut ItemFn, onward: &Path, captured: &TokenStream) {
    let statements = &function.block.stmts;
    *function.block = match Kind::of(&function.sig) {
        Kind::Async => {
            let returned = return_edge(&function.sig.output);
            in_async(onward, captured, &quote!(#returned #(#statements)*))
        }
        Kind::Future => in_future(onward, captured, &quote!(move || { #(#statements)* }), &quote!()),
        Kind::BoxedFuture(output) => {
            let body = quote!(move || -> #output { #(#statements)* });
            in_future(onward, captured, &body, &quote!(::std::boxed::Box::pin))
        }
        Kind::Sync => in_sync(onward, captured, &quote!(#(#statements)*)),
    };
}

/// Input: `async fn f(headers: HeaderMap) -> T { body }`
///
/// Output: `async fn f(headers: HeaderMap) -> T { in_scope(captured, async move { body }).await }`
fn in_async(onward: &Path, captured: &TokenStream, body: &TokenStream) -> Block {
    parse_quote!({
        #onward::in_scope(#captured, async move { #body }).await
    })
}

/// Input: `fn f(headers: HeaderMap) -> impl Future<Output = T> { body }`
///
/// Output: `fn f(headers: HeaderMap) -> impl Future<Output = T> { in_scope(captured, { let scope = enter(captured); body }) }`
///
/// The body is a closure, so that a `return` in it gives its future and not the function's. Where the future is boxed,
/// as `async_trait` does, it is boxed again.
fn in_future(onward: &Path, captured: &TokenStream, body: &TokenStream, boxed: &TokenStream) -> Block {
    let [headers, run, scope] = ["__onward_headers", "__onward_body", "__onward_scope"]
        .map(|name| Ident::new(name, Span::mixed_site()));
    parse_quote!({
        let #headers = #captured;
        let #run = #body;
        let #scope = #onward::enter(::core::clone::Clone::clone(&#headers));
        #boxed(#onward::in_scope(#headers, #run()))
    })
}

/// Input: `fn f(headers: HeaderMap) -> T { body }`
///
/// Output: `fn f(headers: HeaderMap) -> T { let scope = enter(captured); body }`
fn in_sync(onward: &Path, captured: &TokenStream, body: &TokenStream) -> Block {
    let scope = Ident::new("__onward_scope", Span::mixed_site());
    parse_quote!({
        let #scope = #onward::enter(#captured);
        #body
    })
}

/// A `return` that is never reached, with the function's own type: so the compiler knows the type of the async block
/// before it reads the body, and a mismatch is reported in the user's line.
fn return_edge(output: &ReturnType) -> TokenStream {
    let ReturnType::Type(_, ty) = output else { return quote!() };
    if mentions_impl(ty) {
        return quote!();
    }
    quote_spanned! {Span::mixed_site()=>
        #[allow(unreachable_code, clippy::diverging_sub_expression, clippy::let_unit_value, clippy::needless_return, reason = "never runs")]
        if false {
            let __onward_return: #ty = loop {};
            return __onward_return;
        }
    }
}

/// `impl Trait` can be named in a signature only.
fn mentions_impl(ty: &Type) -> bool {
    ty.to_token_stream()
        .to_string()
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| word == "impl")
}

/// An expression that gives the handler's propagator by reference.
fn propagator(args: &Args, onward: &Path) -> TokenStream {
    match &args.propagator {
        Some(expr) => quote!(#onward::__private::propagator(&#expr)),
        None if args.has_own_policy() => derived(args, onward),
        None => quote!(#onward::default_propagator()),
    }
}

/// A type that stands for the handler's propagator in the added extractor. A policy of its own needs one beside the
/// function.
fn marker(args: &Args, onward: &Path, function: &Ident, items: &mut TokenStream) -> TokenStream {
    if args.propagator.is_none() && !args.has_own_policy() {
        return quote!(#onward::__private::DefaultPolicy);
    }
    let propagator = propagator(args, onward);
    let marker = format_ident!("__OnwardPolicyOf_{function}", span = Span::mixed_site());
    *items = quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, missing_docs, unreachable_pub, reason = "named after the handler, and as public as it may have to be")]
        pub struct #marker;
        #[doc(hidden)]
        impl #onward::__private::HandlerPolicy for #marker {
            fn propagator() -> &'static #onward::Propagator {
                #propagator
            }
        }
    };
    quote!(#marker)
}

/// A propagator that is derived from the default one at the handler's first request.
fn derived(args: &Args, onward: &Path) -> TokenStream {
    let Args { presets, adds, excepts, .. } = args;
    let checks = presets.iter().map(|preset| check(onward, "check_preset", preset));
    let names = adds.iter().chain(excepts).map(|name| check(onward, "check_pattern", name));
    quote! {{
        #(#checks)*
        #(#names)*
        static __ONWARD_DERIVED: #onward::__private::Derived =
            #onward::__private::Derived::new(&[#(#presets),*], &[#(#adds),*], &[#(#excepts),*]);
        __ONWARD_DERIVED.propagator()
    }}
}

/// A check by the core's own rules, while the user's crate is compiled; an error stands on the literal.
fn check(onward: &Path, function: &str, literal: &LitStr) -> syn::Stmt {
    let span = literal.span();
    let function = Ident::new(function, span);
    let onward = respan(onward.to_token_stream(), span);
    parse_quote_spanned!(span=> const _: () = #onward::__private::#function(#literal);)
}

/// The same tokens, reported in another place.
fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    let respan = |mut token: proc_macro2::TokenTree| {
        // Where a name is looked up stays; only where an error is shown changes.
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.into_iter().map(respan).collect()
}
