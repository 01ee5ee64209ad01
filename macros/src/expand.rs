//! Wraps the body of a function in the scope of its request's headers.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, Block, Error, FnArg, Ident, ImplItem, Item, ItemImpl, Path, Result, ReturnType, Signature,
    Stmt, Type, parse_quote, parse_quote_spanned,
};

use crate::args::Args;
use crate::check::{self, Carrier};
use crate::kind::Kind;
use crate::policy;

pub(crate) fn propagate(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let args = Args::parse(args)?;
    let onward = args.krate.clone().unwrap_or_else(|| parse_quote!(::onward));
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Fn(mut item)) => {
            let mut function = Function { sig: &mut item.sig, block: &mut item.block, attrs: &item.attrs };
            let items = one(&mut function, &args, &onward)?;
            Ok(quote!(#items #item))
        }
        Ok(Item::Impl(mut item)) => {
            all(&mut item, &args, &onward)?;
            Ok(quote!(#item))
        }
        _ => Err(Error::new_spanned(
            item.into_iter().next().map(TokenStream::from),
            "`#[propagate]` goes on a function or a method with a body, or on an `impl` block",
        )),
    }
}

/// A function or a method. What has to stand beside it is given back.
fn one(function: &mut Function<'_>, args: &Args, onward: &Path) -> Result<TokenStream> {
    let mut items = quote!();
    let captured = match check::carrier(function, args)? {
        Carrier::Expr(expr, span) => {
            let propagator = policy::propagator(args, onward);
            // On the span of the user's type or expression, so that a missing `Extract` is reported there.
            quote_spanned!(span=> #onward::__private::extract(#propagator, &#expr))
        }
        Carrier::Extractor => {
            let marker = policy::marker(args, onward, &function.sig.ident, &mut items);
            let name = Ident::new("__onward_captured", Span::mixed_site());
            let argument: FnArg = parse_quote!(#name: #onward::__private::Captured<#marker>);
            function.sig.inputs.insert(0, argument);
            let span = function.sig.ident.span();
            quote_spanned!(span=> #onward::__private::captured(#name))
        }
    };
    wrap(function, onward, &captured);
    Ok(items)
}

/// Every method of a block that has a carrier among its arguments.
fn all(block: &mut ItemImpl, args: &Args, onward: &Path) -> Result<()> {
    if let Some(from) = &args.from {
        return Err(Error::new_spanned(
            from,
            "`from` belongs on a method; give the attribute to each that needs it",
        ));
    }
    let mut any = false;
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        let mut function = Function { sig: &mut method.sig, block: &mut method.block, attrs: &method.attrs };
        if check::has_carrier(function.sig) && function.sig.constness.is_none() {
            any = true;
            one(&mut function, args, onward)?;
        }
    }
    if any {
        return Ok(());
    }
    Err(Error::new_spanned(
        &block.self_ty,
        "no method of this block has an argument that holds the request's headers; give one an argument of type `HeaderMap`, `Request` or `Parts`, or put `#[propagate(from = expression)]` on the method",
    ))
}

/// A function or a method, whatever kind of item it is.
pub(crate) struct Function<'a> {
    pub(crate) sig: &'a mut Signature,
    pub(crate) block: &'a mut Block,
    pub(crate) attrs: &'a [Attribute],
}

/// Puts the captured headers in scope while the body runs. The user's braces stay around the user's statements, so that
/// what is wrong with the body's type is reported there.
fn wrap(function: &mut Function<'_>, onward: &Path, captured: &TokenStream) {
    let mut body = function.block.clone();
    *function.block = match Kind::of(function.sig) {
        Kind::Async => {
            if let Some(edge) = return_edge(&function.sig.output) {
                body.stmts.insert(0, edge);
            }
            in_async(onward, captured, &body)
        }
        Kind::Future => in_future(onward, captured, &quote!(move || #body), &quote!()),
        Kind::BoxedFuture(output) => {
            in_future(onward, captured, &quote!(move || -> #output #body), &quote!(::std::boxed::Box::pin))
        }
        Kind::Sync => in_sync(onward, captured, body),
    };
}

/// Input: `async fn f(headers: HeaderMap) -> T { body }`
///
/// Output: `async fn f(headers: HeaderMap) -> T { in_scope(captured, async move { body }).await }`
fn in_async(onward: &Path, captured: &TokenStream, body: &Block) -> Block {
    parse_quote!({
        #onward::in_scope(#captured, async move #body).await
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
fn in_sync(onward: &Path, captured: &TokenStream, mut body: Block) -> Block {
    let scope = Ident::new("__onward_scope", Span::mixed_site());
    body.stmts.insert(0, parse_quote!(let #scope = #onward::enter(#captured);));
    body
}

/// A `return` that is never reached, with the function's own type: so the compiler knows the type of the async block
/// before it reads the body, and a mismatch is reported in the user's line.
fn return_edge(output: &ReturnType) -> Option<Stmt> {
    let ReturnType::Type(_, ty) = output else { return None };
    if mentions_impl(ty) {
        return None;
    }
    Some(parse_quote_spanned! {Span::mixed_site()=>
        #[allow(unreachable_code, clippy::diverging_sub_expression, clippy::let_unit_value, clippy::needless_return, reason = "never runs")]
        if false {
            let __onward_return: #ty = loop {};
            return __onward_return;
        }
    })
}

/// `impl Trait` can be named in a signature only.
fn mentions_impl(ty: &Type) -> bool {
    ty.to_token_stream()
        .to_string()
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| word == "impl")
}
