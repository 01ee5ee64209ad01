//! A handler's own policy, as an expression and as a type.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, LitStr, Path, parse_quote_spanned};

use crate::args::Args;

/// An expression that gives the handler's propagator by reference.
pub(crate) fn propagator(args: &Args, onward: &Path) -> TokenStream {
    match &args.propagator {
        Some(expr) => quote_spanned!(expr.span()=> #onward::__private::propagator(&#expr)),
        None if args.has_own_policy() => derived(args, onward),
        None => quote!(#onward::default_propagator()),
    }
}

/// A type that stands for the handler's propagator in the added extractor. A policy of its own needs one beside the
/// function.
pub(crate) fn marker(args: &Args, onward: &Path, function: &Ident, items: &mut TokenStream) -> TokenStream {
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
