//! The policy as a JavaScript object.

use napi_derive::napi;
use onward::PlanHeader;
use onward::catalogue::{AUTHORIZATION, USER_AGENT};

/// A header selected by name, or a prefix rule (then `name` is the prefix).
#[napi(object)]
pub struct Header {
    pub name: String,
    pub class: String,
    /// -1 where each name under a prefix stands for itself.
    pub family: i32,
    pub separator: String,
}

/// A name that is not selected but belongs to a selected family. A prefix ends in `*`.
#[napi(object)]
pub struct Relative {
    pub name: String,
    pub family: i32,
}

/// What the face compiles and runs.
#[napi(object)]
pub struct Plan {
    pub headers: Vec<Header>,
    pub prefixes: Vec<Header>,
    pub relatives: Vec<Relative>,
    pub max_bytes: f64,
    pub max_prefix_headers: f64,
    pub trace_anywhere: bool,
    /// The outbound header whose value can say that the request is signed.
    pub signature: String,
    /// The outbound header that client libraries set by themselves.
    pub client_default: String,
}

impl From<&PlanHeader> for Header {
    fn from(header: &PlanHeader) -> Self {
        Self {
            name: header.name.clone(),
            class: header.class.into(),
            family: header.family.map_or(-1, i32::from),
            separator: header.separator.into(),
        }
    }
}

impl From<onward::Plan> for Plan {
    // Limits beyond 2^53 bytes limit nothing, whatever their last digits are.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    fn from(plan: onward::Plan) -> Self {
        let relatives = plan.relatives.into_iter();
        Self {
            headers: plan.headers.iter().map(Header::from).collect(),
            prefixes: plan.prefixes.iter().map(Header::from).collect(),
            relatives: relatives
                .map(|relative| Relative { name: relative.name, family: relative.family.into() })
                .collect(),
            max_bytes: plan.max_bytes as f64,
            max_prefix_headers: plan.max_prefix_headers as f64,
            trace_anywhere: plan.trace_anywhere,
            signature: AUTHORIZATION.name.into(),
            client_default: USER_AGENT.name.into(),
        }
    }
}
