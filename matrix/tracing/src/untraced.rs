//! What comes through Envoys that trace nothing, with headers of tracers that are gone.

use std::{error::Error, sync::PoisonError, time::Duration};

use axum::http::HeaderValue;
use onward_mesh::{
    load,
    progress::Progress,
    runner::{Mesh, Options},
    settle::wait_for_spans,
};

use crate::{
    cell::Checked,
    chain::{Language, Programs, Sdk, Seen},
};

/// The span that a client says it called from.
const CLIENT: u64 = 0x34f0_67aa_0ba9_02b7;
/// For the service's span to arrive on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// For a second one, which there must not be.
const CALM: Duration = Duration::from_millis(250);

/// One request with a client's headers, through Envoys that trace nothing.
pub(crate) struct Visit<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) options: &'a Options,
    pub(crate) language: Language,
    pub(crate) beside: bool,
    pub(crate) forwarding: bool,
}

impl Visit<'_> {
    pub(crate) async fn check(
        &self,
        trace: &str,
        lines: fn(u64) -> Vec<(&'static str, String)>,
    ) -> Result<Checked, Box<dyn Error>> {
        let mut options = Options { tracer: None, forwarding: self.forwarding, ..self.options.clone() };
        let seen = Seen::default();
        let sdk = self.beside.then_some(Sdk::Reading);
        let mut app = self.programs.app(&[self.language], sdk, &mut options, &seen)?;
        app.headers = lines(CLIENT).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mesh = Mesh::start(&app, &options, Progress::silent()).await?;
        load::drive(mesh.gateway(), &app, 1, 1, |_| {}).await?;
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let [leaf] = seen.as_slice() else { return Ok(Err(format!("{} requests at the leaf", seen.len()))) };
        let received = |name| leaf.get_all(name).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
        if !self.forwarding {
            let arrived = lines(CLIENT).into_iter().find(|(name, _)| leaf.contains_key(*name));
            return Ok(arrived.map_or(Ok(()), |(name, _)| Err(format!("without Onward {name} arrives"))));
        }
        let mut span = CLIENT;
        if self.beside {
            wait_for_spans(mesh.store(), 1, CALM, PATIENCE).await;
            let spans = mesh.store().spans();
            let [own] = spans.as_slice() else {
                return Ok(Err(format!("{} spans of the service", spans.len())));
            };
            if (&*own.trace_id, own.parent_id.as_deref()) != (trace, Some(&*format!("{CLIENT:016x}"))) {
                return Ok(Err("the service's own span does not hang under the client's".into()));
            }
            span = u64::from_str_radix(&own.id, 16)?;
        }
        let wrong = lines(span).into_iter().find(|(name, value)| received(*name) != [value.as_bytes()]);
        Ok(wrong
            .map_or(Ok(()), |(name, value)| Err(format!("{name} is {:?} and not {value:?}", leaf.get(name)))))
    }
}
