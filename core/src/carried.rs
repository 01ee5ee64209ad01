//! What is polled, and is no future: streams and response bodies that run on when the handler is done.

#[cfg(feature = "http-body")]
pub use body::{carry_body, in_scope_body};
#[cfg(feature = "stream")]
pub use stream::{carry_stream, in_scope_stream};

#[cfg(feature = "stream")]
mod stream {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_core::{FusedStream, Stream};

    use crate::{ForwardHeaders, InScope, current};

    impl<S: Stream> Stream for InScope<S> {
        type Item = S::Item;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
            self.within(|stream| stream.poll_next(context))
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            self.inner().size_hint()
        }
    }

    impl<S: FusedStream> FusedStream for InScope<S> {
        fn is_terminated(&self) -> bool {
            self.inner().is_terminated()
        }
    }

    /// Takes the current headers along into a stream that is polled when the handler is done, such as a response that
    /// is sent while it is made.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn call() -> String { String::new() }
    /// # fn example() -> impl futures_core::Stream<Item = String> {
    /// onward::carry_stream(futures::stream::unfold(0, |page| async move { Some((call().await, page + 1)) }))
    /// # }
    /// ```
    pub fn carry_stream<S: Stream>(stream: S) -> InScope<S> {
        in_scope_stream(current(), stream)
    }

    /// Polls `stream` with `headers` as the current ones, on whatever thread it is polled.
    pub fn in_scope_stream<S: Stream>(headers: ForwardHeaders, stream: S) -> InScope<S> {
        InScope::new(headers, stream)
    }
}

#[cfg(feature = "http-body")]
mod body {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body::{Body, Frame, SizeHint};

    use crate::{ForwardHeaders, InScope, current};

    impl<B: Body> Body for InScope<B> {
        type Data = B::Data;
        type Error = B::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
            self.within(|body| body.poll_frame(context))
        }

        fn is_end_stream(&self) -> bool {
            self.inner().is_end_stream()
        }

        fn size_hint(&self) -> SizeHint {
            self.inner().size_hint()
        }
    }

    /// Takes the current headers along into a response body, which is polled when the handler is done.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(stream: http_body_util::Empty<bytes::Bytes>) -> axum::body::Body {
    /// axum::body::Body::new(onward::carry_body(stream))
    /// # }
    /// ```
    pub fn carry_body<B: Body>(body: B) -> InScope<B> {
        in_scope_body(current(), body)
    }

    /// Polls `body` with `headers` as the current ones, on whatever thread it is polled.
    pub fn in_scope_body<B: Body>(headers: ForwardHeaders, body: B) -> InScope<B> {
        InScope::new(headers, body)
    }
}

/// The guide's page, compiled and run.
#[cfg(all(doctest, feature = "stream", feature = "diagnostics"))]
#[doc = include_str!("../../docs/scope.md")]
struct Page;
