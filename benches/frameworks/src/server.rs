//! The process of one framework, seen from the one that measures.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::de::DeserializeOwned;

use crate::{Failure, serve::Used};

/// Ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// None once the process is to end.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    /// Where each way listens.
    pub(crate) ports: BTreeMap<String, u16>,
}

impl Server {
    pub(crate) fn start(framework: &str) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", framework]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let mut server = Self { child, input, output, ports: BTreeMap::new() };
        server.ports = server.line()?;
        Ok(server)
    }

    /// What it has used so far; `line` says what is counted next.
    pub(crate) fn used(&mut self, line: &str) -> Result<Used, Failure> {
        writeln!(self.input.as_mut().ok_or("no input")?, "{line}")?;
        self.line()
    }

    fn line<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        Ok(serde_json::from_str(&self.output.next().ok_or("the server has ended")??)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // Whether it ended well does not matter any more.
        let _ = self.child.wait();
    }
}
