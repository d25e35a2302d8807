//! Why a message, or an entry of the log, was not handed over.

use std::io;
use std::path::PathBuf;

/// What went wrong. Nothing in it comes from the message, nor from what a gateway answered: it might quote it.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The settings cannot be read.
    #[error("cannot read the settings in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The settings hold passwords, and others may read them.
    #[error("`{}` holds passwords and can be read by others: make it readable by its owner alone (chmod 600)", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The settings are no TOML of the form that is asked for. The line is named, its content is not.
    #[error("`{}`, line {line}: {what}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A setting that cannot be used.
    #[error("setting `{field}`: {what}")]
    Setting {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Neither a telephone number nor a mail address.
    #[error("not {expected}")]
    Address {
        /// What it should have been.
        expected: &'static str,
    },
    /// This installation has no gateway of the kind.
    #[error("no `{kind}` gateway is set up")]
    NoGateway {
        /// `sms` or `mail`.
        kind: &'static str,
    },
    /// The gateway answered that it does not take what was sent.
    #[error("the {kind} gateway refused it with {code}")]
    Refused {
        /// `SMS`, `mail`, `webhook` or `witness`.
        kind: &'static str,
        /// The status of its answer.
        code: u16,
        /// Whether it says so of what was sent, and not that it cannot take it now. It may be the number; it may as well be the gateway's
        /// settings, which somebody mends.
        wrong: bool,
    },
    /// An entry of the log that cannot be written in the receiver's form: no event of this program is one.
    #[error("entry {entry} of the log cannot be written for the {kind} gateway")]
    Entry {
        /// `webhook` or `syslog`.
        kind: &'static str,
        /// Its number.
        entry: u64,
    },
    /// What a witness answered is not what was asked for.
    #[error("the witness's answer cannot be used: {what}")]
    Answer {
        /// What is wrong with it.
        what: &'static str,
    },
    /// What a witness answered is no cosignature of its key.
    #[error("the witness's answer cannot be used: {0}")]
    Cosignature(#[from] crate::audit::AuditError),
    /// The gateway did not answer, or not in words that can be understood.
    #[error("the {kind} gateway could not be reached: {what}")]
    Unreachable {
        /// `SMS`, `mail`, `webhook`, `syslog` or `witness`.
        kind: &'static str,
        /// What failed.
        what: &'static str,
    },
}

impl GatewayError {
    /// Whether trying again can not help.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Unreachable { .. } | Self::NoGateway { .. })
    }

    /// The status with which a gateway said that what was sent is wrong.
    #[must_use]
    pub fn called_wrong(&self) -> Option<u16> {
        match self {
            Self::Refused { code, wrong: true, .. } => Some(*code),
            _ => None,
        }
    }
}
