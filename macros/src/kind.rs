//! What a function gives back decides where its scope has to be.

use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound};

/// How a function runs.
pub(crate) enum Kind<'a> {
    /// `async fn`.
    Async,
    /// A plain function that gives back `impl Future`.
    Future,
    /// A plain function that gives back a boxed future: what `async_trait` makes of an `async fn`.
    BoxedFuture(&'a Type),
    /// Everything that a plain function does is done when it returns.
    Sync,
}

impl<'a> Kind<'a> {
    pub(crate) fn of(signature: &'a Signature) -> Self {
        if signature.asyncness.is_some() {
            return Self::Async;
        }
        match &signature.output {
            ReturnType::Type(_, ty) if is_impl_future(ty) => Self::Future,
            ReturnType::Type(_, ty) if is_boxed_future(ty) => Self::BoxedFuture(ty),
            _ => Self::Sync,
        }
    }
}

fn is_impl_future(ty: &Type) -> bool {
    matches!(ty, Type::ImplTrait(ty) if ty.bounds.iter().any(is_future))
}

fn is_future(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == "Future"))
}

/// `Pin<Box<dyn Future>>`, or an alias for it that the crate futures has made usual.
fn is_boxed_future(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
        return true;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    arguments.args.iter().any(|argument| match argument {
        GenericArgument::Type(Type::TraitObject(object)) => object.bounds.iter().any(is_future),
        GenericArgument::Type(inner) => {
            (last.ident == "Pin" || last.ident == "Box") && is_boxed_future(inner)
        }
        _ => false,
    })
}
