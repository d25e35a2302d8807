//! How fast, how right and how much this machine hears, for whoever must choose a model and a number of rooms.
//!
//! Invariant: what is measured is the program itself: its session for recordings, its rooms for live talk, its binary for a start
//! from nothing. A report holds numbers and never words of a recording.

mod accuracy;
mod child;
mod error;
mod html;
mod live;
mod machine;
mod measure;
mod plan;
mod recommend;
mod recordings;
mod report;
mod search;
mod setting;
mod speed;
mod spread;
mod summary;
mod talk;
mod verify;
mod watch;

pub use accuracy::{Score, Scorer};
pub use error::BenchError;
pub use html::page;
pub use live::{Limit, Step};
pub use machine::Machine;
pub use measure::{Request, run};
pub use plan::Plan;
pub use recommend::Recommendation;
pub use recordings::{Listed, list};
pub use report::{Accuracy, ColdStart, Measured, REPORT_SCHEMA, Report, RoomsFound, Speed, Used};
pub use search::Search;
pub use setting::Setting;
pub use spread::Spread;
pub use summary::summary;
pub use verify::{Verified, hear_and_score, is_far_off, speech_model_names};
pub use watch::{Stop, Watch};
