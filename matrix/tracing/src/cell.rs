//! Runs the cells of a system: each the whole trace and its control.

use std::error::Error;

use onward_mesh::runner::Options;

use crate::{
    chain::{Language, Programs, Sdk},
    system::{System, Tracing},
    traced::Run,
    untraced::Visit,
};

/// One cell of the table.
#[derive(Debug)]
pub struct Cell {
    /// Its row.
    pub system: &'static str,
    /// Its column.
    pub language: Language,
    /// Whether the service makes spans of its own.
    pub beside: bool,
    /// What does not hold.
    pub failures: Vec<String>,
}

/// What a check says: nothing, or what does not hold.
pub(crate) type Checked = Result<(), String>;

impl Cell {
    /// Whether everything holds.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// Whether it stands in this row and column.
    pub fn is(&self, system: &str, language: Language, beside: bool) -> bool {
        (self.system, self.language, self.beside) == (system, language, beside)
    }
}

/// Runs the three cells of a system that are beside OpenTelemetry, or the three that are not.
///
/// # Errors
///
/// When a mesh does not start.
pub async fn run(
    programs: &Programs,
    options: &Options,
    system: &System,
    beside: bool,
) -> Result<Vec<Cell>, Box<dyn Error>> {
    let mut cells = Vec::new();
    match system.tracing {
        Tracing::Envoy(tracer) => {
            let sdk = beside.then_some(Sdk::Reading);
            let mut whole = vec![Run::new(programs, options, tracer, sdk, true).await?];
            if beside && !system.headers.contains("`traceparent`") {
                whole.push(Run::new(programs, options, tracer, Some(Sdk::TraceparentAlone), true).await?);
            }
            let control = Run::new(programs, options, tracer, sdk, false).await?;
            for language in Language::ALL {
                let checks = whole.iter().map(|run| run.joined_by(language));
                cells.push(cell(system, language, beside, checks.chain([control.broken_by(language)])));
            }
        }
        Tracing::Client { trace, lines } => {
            for language in Language::ALL {
                let visit = async |forwarding| {
                    let visit = Visit { programs, options, language, beside, forwarding };
                    visit.check(trace, lines).await
                };
                cells.push(cell(system, language, beside, [visit(true).await?, visit(false).await?]));
            }
        }
    }
    Ok(cells)
}

fn cell(
    system: &System,
    language: Language,
    beside: bool,
    checks: impl IntoIterator<Item = Checked>,
) -> Cell {
    let failures = checks.into_iter().filter_map(Checked::err).collect();
    Cell { system: system.name, language, beside, failures }
}
