//! What the clients share that follow redirects themselves: with [`Inject`](super::tower_client::Inject) inside, what
//! Onward adds is chosen anew for each hop.

use tower_http::follow_redirect::policy::{Action, Attempt, FilterCredentials, Limited, Policy};

/// Follows so many redirects, and takes the caller's own credentials off where one leads to another origin.
pub(crate) struct Redirects<B, E> {
    limited: Limited,
    credentials: FilterCredentials,
    replay: fn(&B) -> Option<B>,
    /// None where the redirect itself is then the answer.
    too_many: fn() -> Option<E>,
}

impl<B, E> Redirects<B, E> {
    /// `replay` clones a body, if it can be sent again.
    pub(crate) fn new(max: usize, replay: fn(&B) -> Option<B>, too_many: fn() -> Option<E>) -> Self {
        Self { limited: Limited::new(max), credentials: FilterCredentials::new(), replay, too_many }
    }
}

impl<B, E> Clone for Redirects<B, E> {
    fn clone(&self) -> Self {
        Self { limited: self.limited, credentials: self.credentials.clone(), ..*self }
    }
}

impl<B, E> Policy<B, E> for Redirects<B, E> {
    fn redirect(&mut self, attempt: &Attempt<'_>) -> Result<Action, E> {
        let limit: Result<Action, E> = Policy::<B, E>::redirect(&mut self.limited, attempt);
        if limit?.is_stop() {
            return (self.too_many)().map_or(Ok(Action::Stop), Err);
        }
        Policy::<B, E>::redirect(&mut self.credentials, attempt)
    }

    fn on_request(&mut self, request: &mut http::Request<B>) {
        Policy::<B, E>::on_request(&mut self.credentials, request);
    }

    fn clone_body(&self, body: &B) -> Option<B> {
        (self.replay)(body)
    }
}
