//! Reads what stands in the attribute's parentheses.

use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Error, Expr, LitStr, Path, Result};

/// The options of `#[propagate(...)]`.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) from: Option<Expr>,
    pub(crate) propagator: Option<Expr>,
    pub(crate) krate: Option<Path>,
    pub(crate) presets: Vec<LitStr>,
    pub(crate) adds: Vec<LitStr>,
    pub(crate) excepts: Vec<LitStr>,
}

impl Args {
    pub(crate) fn parse(tokens: proc_macro2::TokenStream) -> Result<Self> {
        let mut args = Self::default();
        syn::meta::parser(|meta| args.option(&meta)).parse2(tokens)?;
        if let Some(propagator) = &args.propagator
            && args.has_own_policy()
        {
            return Err(Error::new_spanned(
                propagator,
                "`propagator` is a whole policy; put `preset`, `add` and `except` into it, or leave it out",
            ));
        }
        Ok(args)
    }

    fn option(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let Some(name) = meta.path.get_ident() else {
            return Err(meta.error(UNKNOWN));
        };
        match name.to_string().as_str() {
            "from" => once(&mut self.from, meta),
            "propagator" => once(&mut self.propagator, meta),
            "crate" => once(&mut self.krate, meta),
            "preset" => many(&mut self.presets, meta),
            "add" => many(&mut self.adds, meta),
            "except" => many(&mut self.excepts, meta),
            _ => Err(meta.error(UNKNOWN)),
        }
    }

    /// Whether the handler has a policy of its own, derived from the default one.
    pub(crate) fn has_own_policy(&self) -> bool {
        !(self.presets.is_empty() && self.adds.is_empty() && self.excepts.is_empty())
    }
}

const UNKNOWN: &str = "unknown option; write `from`, `preset`, `add`, `except`, `propagator` or `crate`";
const UNQUOTED: &str = "expected a name in quotes, such as `except = \"cookie\"`";

fn once<T: syn::parse::Parse>(place: &mut Option<T>, meta: &ParseNestedMeta<'_>) -> Result<()> {
    if place.is_some() {
        return Err(meta.error("given twice; leave one out"));
    }
    *place = Some(meta.value()?.parse()?);
    Ok(())
}

fn many(place: &mut Vec<LitStr>, meta: &ParseNestedMeta<'_>) -> Result<()> {
    let value: LitStr = meta.value()?.parse().map_err(|error| Error::new(error.span(), UNQUOTED))?;
    if place.iter().any(|other| other.value() == value.value()) {
        return Err(Error::new_spanned(&value, "given twice; leave one out"));
    }
    place.push(value);
    Ok(())
}
