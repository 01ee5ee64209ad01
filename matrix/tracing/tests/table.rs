//! The table in the documentation is what a full run writes, and marks nothing that has not passed.

use onward_matrix_tracing::{
    cell::Cell,
    system,
    table::{self, Summary},
};

/// Every cell, passed.
fn cells() -> Vec<Cell> {
    let of = |system: &system::System| {
        let system = system.name;
        table::columns().map(move |(language, beside)| Cell {
            system,
            language,
            beside,
            failures: Vec::new(),
        })
    };
    system::ALL.iter().flat_map(of).collect()
}

#[test]
fn the_table_in_the_documentation_is_that_of_a_run_in_which_all_passed() {
    assert_eq!(Summary::new(&system::ALL, &cells()), Summary { cells: 54, passed: 54, failed: 0, empty: 0 });
    assert!(
        table::page(&system::ALL, &cells()) == include_str!("../../../docs/matrix-tracing.md"),
        "docs/matrix-tracing.md is out of date; run `cargo xtask matrix tracing`"
    );
}

#[test]
fn what_failed_and_what_did_not_run_is_not_marked() {
    let mut cells = cells();
    cells[0].failures.push("broken".into());
    cells.pop();
    assert_eq!(Summary::new(&system::ALL, &cells), Summary { cells: 54, passed: 52, failed: 1, empty: 1 });
    let page = table::page(&system::ALL, &cells);
    assert!(page.contains("| **OpenTelemetry** | `traceparent` | ✗ | ✓ | ✓ | ✓ | ✓ | ✓ |\n"), "{page}");
    assert!(page.contains("`x-b3-*` | ✓ | ✓ | ✓ | ✓ | ✓ | |\n"), "{page}");
}
