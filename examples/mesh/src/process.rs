//! A child process in a process group of its own, with its output in a file, gone when its handle goes.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::error::MeshError;

/// How long a process may take to end after it was asked to.
const GRACE: Duration = Duration::from_millis(1_500);
const POLL: Duration = Duration::from_millis(10);
const TAIL_LINES: usize = 20;

/// A process of the mesh.
///
/// It runs in a group of its own, so that Ctrl-C in a terminal reaches only this program, which then ends the
/// process and everything that the process has started. Dropping the handle does that too, also in a panic.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` with its output in `NAME.log` in `logs`.
    ///
    /// # Errors
    ///
    /// [`MeshError::Spawn`] if the program cannot be started, [`MeshError::Io`] if the log cannot be written.
    pub fn spawn(name: &str, mut command: Command, logs: &Path) -> Result<Self, MeshError> {
        let log = logs.join(format!("{name}.log"));
        let open = || File::options().create(true).append(true).open(&log);
        let failed = || format!("cannot write {}", log.display());
        let child = command
            .stdin(Stdio::null())
            .stdout(open().map_err(MeshError::io(failed()))?)
            .stderr(open().map_err(MeshError::io(failed()))?)
            .process_group(0)
            .spawn()
            .map_err(|source| MeshError::Spawn {
                name: name.into(),
                program: command.get_program().into(),
                source,
            })?;
        Ok(Self { name: name.into(), child, log, ended: None })
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, which is also its group's.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails if the process has ended by itself.
    ///
    /// # Errors
    ///
    /// [`MeshError::Died`] with its status and the end of its log.
    pub fn check(&mut self) -> Result<(), MeshError> {
        if !self.has_ended() {
            return Ok(());
        }
        self.finish();
        Err(MeshError::Died {
            name: self.name.clone(),
            status: self.ended.map_or_else(|| "unknown status".into(), status_in_words),
            log: self.log_tail(),
        })
    }

    /// Its status once it has ended; what it has left behind in its group is killed then.
    pub fn status(&mut self) -> Option<ExitStatus> {
        if self.has_ended() {
            self.finish();
        }
        self.ended
    }

    /// Everything that it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines that it printed, indented; a sentence if there are none.
    pub fn log_tail(&self) -> String {
        let text = self.log();
        let lines: Vec<_> = text.lines().collect();
        if lines.is_empty() {
            return "  (it printed nothing)".into();
        }
        let tail = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        tail.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }

    fn group(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn signal(&self, signal: Signal) {
        // While the leader is not collected its id stays its own, so this can reach nobody else's group.
        if let (Some(group), None) = (self.group(), self.ended) {
            let _ = kill_process_group(group, signal);
        }
    }

    /// Whether the leader has ended; leaves it uncollected.
    fn has_ended(&self) -> bool {
        let Some(pid) = self.group().filter(|_| self.ended.is_none()) else { return true };
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(pid), look), Ok(None))
    }

    /// Kills what is left of the group and collects the leader.
    fn finish(&mut self) {
        self.signal(Signal::KILL);
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        stop_all(std::slice::from_mut(self));
    }
}

/// Ends the processes: asks all of them, waits a little, then kills what is left.
pub fn stop_all(processes: &mut [Process]) {
    stop_within(processes, GRACE);
}

/// Ends the processes: asks all of them, waits for `grace` in all, then kills what is left.
pub fn stop_within(processes: &mut [Process], grace: Duration) {
    for process in processes.iter() {
        process.signal(Signal::TERM);
    }
    let deadline = Instant::now() + grace;
    while Instant::now() < deadline && !processes.iter().all(Process::has_ended) {
        thread::sleep(POLL);
    }
    for process in processes {
        process.finish();
    }
}

fn status_in_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, logs: &Path) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::spawn("it", command, logs).unwrap()
    }

    /// Waits for a line in the log; gives up when the process has ended.
    fn first_line(process: &mut Process) -> String {
        loop {
            let tail = process.log_tail();
            if tail != "  (it printed nothing)" {
                return tail.trim().to_owned();
            }
            process.check().unwrap();
            thread::sleep(POLL);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_dropped_process_takes_its_own_children_along() {
        // A zombie that nobody collects does not count as running.
        let is_running = |pid: &str| {
            fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
        };
        let logs = tempfile::tempdir().unwrap();
        let mut process = shell("trap '' TERM; sleep 600 & echo $!; trap - TERM; wait", logs.path());
        let grandchild = first_line(&mut process);
        assert!(is_running(&grandchild));
        drop(process);
        let deadline = Instant::now() + Duration::from_secs(20);
        while is_running(&grandchild) {
            assert!(Instant::now() < deadline, "the grandchild is still there");
            thread::sleep(POLL);
        }
    }

    #[test]
    fn a_process_that_ignores_the_request_to_end_is_killed() {
        let logs = tempfile::tempdir().unwrap();
        let mut process = shell("trap '' TERM; echo ready; while :; do sleep 600; done", logs.path());
        assert_eq!(first_line(&mut process), "ready");
        stop_all(std::slice::from_mut(&mut process));
        assert!(process.has_ended());
    }

    #[test]
    fn a_process_that_dies_is_reported_with_status_and_log() {
        let logs = tempfile::tempdir().unwrap();
        let mut process = shell("echo first; echo cannot find my config >&2; exit 7", logs.path());
        let error = loop {
            if let Err(error) = process.check() {
                break error;
            }
            thread::sleep(POLL);
        };
        assert_eq!(
            error.to_string(),
            "it died (exit status 7); the end of its log:\n  first\n  cannot find my config"
        );
    }

    #[test]
    fn a_process_that_ends_leaves_its_status_and_its_output() {
        let logs = tempfile::tempdir().unwrap();
        let mut process = shell("echo out; echo err >&2; exit 77", logs.path());
        let status = loop {
            if let Some(status) = process.status() {
                break status;
            }
            thread::sleep(POLL);
        };
        assert_eq!(status.code(), Some(77));
        assert_eq!(process.status(), Some(status));
        assert_eq!(process.log(), "out\nerr\n");
    }

    #[test]
    fn a_missing_program_is_named() {
        let logs = tempfile::tempdir().unwrap();
        let error = Process::spawn("it", Command::new("no-such-program"), logs.path()).unwrap_err();
        assert_eq!(error.to_string(), "cannot start it (no-such-program)");
    }
}
