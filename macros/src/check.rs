//! Finds where a function's headers are, and refuses what cannot work.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, FnArg, Ident, Pat, PatType, Result, Signature, Token, Type, parse_quote};

use crate::args::Args;
use crate::expand::Function;

/// Where the headers are.
pub(crate) enum Carrier {
    /// In an expression over the arguments. The span is the user's, for errors about its type.
    Expr(Expr, Span),
    /// In an extractor that becomes the first argument.
    Extractor,
}

/// Types that are known to hold headers, by the last segment of their path.
const CARRIERS: &[&str] = &["HeaderMap", "Request", "Parts", "HttpRequest", "ServiceRequest", "MetadataMap"];

/// Attributes that make a handler of a function, and extract its arguments: of rocket, poem, salvo and actix-web.
const ROUTES: &[&str] =
    &["get", "post", "put", "delete", "head", "options", "patch", "connect", "trace", "route", "handler"];

pub(crate) fn carrier(function: &mut Function<'_>, args: &Args) -> Result<Carrier> {
    if let Some(token) = function.sig.constness {
        return Err(Error::new_spanned(
            token,
            "a `const fn` handles no request; take `const` or the attribute out",
        ));
    }
    if let Some(expr) = &args.from {
        return Ok(Carrier::Expr(expr.clone(), expr.span()));
    }
    let mut known = function.sig.inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(argument) if is_carrier(&argument.ty) => Some(argument),
        _ => None,
    });
    if let Some(argument) = known.next() {
        let span = argument.ty.span();
        let name = named(argument, &mut function.block.stmts);
        return Ok(Carrier::Expr(parse_quote!(#name), span));
    }
    // A plain function without a carrier is a handler only where a framework's attribute below says so.
    if function.sig.receiver().is_none()
        && (function.sig.asyncness.is_some() || function.attrs.iter().any(is_route))
    {
        return Ok(Carrier::Extractor);
    }
    Err(Error::new_spanned(
        &function.sig.ident,
        "no argument holds the request's headers; add one of type `HeaderMap`, `Request` or `Parts`, or say where they are with `#[propagate(from = expression)]`",
    ))
}

/// Whether an argument is of a type that is known to hold headers.
pub(crate) fn has_carrier(signature: &Signature) -> bool {
    signature.inputs.iter().any(|input| matches!(input, FnArg::Typed(argument) if is_carrier(&argument.ty)))
}

fn is_route(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|last| ROUTES.iter().any(|route| last.ident == route))
}

fn is_carrier(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_carrier(&reference.elem),
        Type::Paren(inner) => is_carrier(&inner.elem),
        Type::Group(inner) => is_carrier(&inner.elem),
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|last| CARRIERS.iter().any(|carrier| last.ident == carrier))
        }
        _ => false,
    }
}

/// The argument's name. A pattern moves into the body, behind a name that takes its place.
fn named(argument: &mut PatType, body: &mut Vec<syn::Stmt>) -> Ident {
    if let Pat::Ident(pattern) = &*argument.pat
        && pattern.by_ref.is_none()
        && pattern.subpat.is_none()
    {
        return pattern.ident.clone();
    }
    let name = Ident::new("__onward_carrier", Span::mixed_site());
    let pattern = std::mem::replace(&mut *argument.pat, parse_quote!(#name));
    if !matches!(pattern, Pat::Wild(_)) {
        let semicolon = Token![;](pattern.span());
        body.insert(0, parse_quote!(let #pattern = #name #semicolon));
    }
    name
}
