//! salvo: a hoop for a whole router, and the extractor that `#[propagate]` adds to a handler without a request.
//!
//! ```
//! # fn example() -> salvo::Router {
//! use salvo::prelude::*;
//!
//! #[handler]
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//!
//! Router::new().hoop(onward::salvo::Forward::new()).push(Router::with_path("reviews").get(reviews))
//! # }
//! ```
//!
//! On a single handler the attribute stands above `#[handler]`, so that salvo sees the argument that it adds:
//!
//! ```
//! # mod handlers {
//! # use salvo::prelude::*;
//! #[onward::propagate]
//! #[handler]
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//! # }
//! ```
//!
//! Where the handler has a `&mut Request` among its arguments, either order works.

use salvo_core::extract::{Extractible, Metadata};
use salvo_core::http::ParseError;
use salvo_core::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use crate::private::{Captured, HandlerPolicy};
use crate::{Extract, Line, Propagator, default_propagator, in_scope};

impl Extract for Request {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.headers().lines(line);
    }
}

/// Captures each request's headers, and holds them in scope while the handlers behind it run.
#[derive(Clone, Debug, Default)]
pub struct Forward {
    propagator: Option<Propagator>,
}

impl Forward {
    /// Captures by the process's default policy.
    #[must_use]
    pub const fn new() -> Self {
        Self { propagator: None }
    }

    /// Captures by a policy of its own.
    #[must_use]
    pub const fn with_propagator(propagator: Propagator) -> Self {
        Self { propagator: Some(propagator) }
    }
}

#[async_trait]
impl Handler for Forward {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        control: &mut FlowCtrl,
    ) {
        let propagator = self.propagator.as_ref().unwrap_or_else(|| default_propagator());
        let headers = propagator.extract(request);
        in_scope(headers, control.call_next(request, depot, response)).await;
    }
}

impl<'ex, P: HandlerPolicy> Extractible<'ex> for Captured<P> {
    fn metadata() -> &'static Metadata {
        static METADATA: Metadata = Metadata::new("Captured");
        &METADATA
    }

    #[expect(
        refining_impl_trait,
        reason = "nothing here can fail, but salvo asks for an error that it can write"
    )]
    async fn extract(request: &'ex mut Request, _depot: &'ex mut Depot) -> Result<Self, ParseError> {
        Ok(Self::from_carrier(request))
    }
}
