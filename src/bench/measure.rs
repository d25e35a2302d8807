//! The run: each setting in its turn, each measure in its time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::accuracy::Scorer;
use super::live::Stage;
use super::plan::{Plan, Share};
use super::recommend::recommend;
use super::recordings::{Listed, Loaded, load};
use super::report::{ColdStart, Measured, REPORT_SCHEMA, Report, RoomsFound, Speed, Used};
use super::setting::{Candidate, Common, speech_models};
use super::spread::{milliseconds, percentile};
use super::talk::Talk;
use super::{BenchError, Machine, Search, Setting, Stop, Watch, child, machine, speed};
use crate::engine::Engine;
use crate::speech::model::{DeviceChoice, Language, Precision, device_name};

/// Beside its own length, a live trial takes about so long: rooms are opened, heard to their end and erased.
const AROUND_A_TRIAL: Duration = Duration::from_secs(3);

/// What to measure, and with what.
pub struct Request {
    /// The folder of the models.
    pub models_folder: PathBuf,
    /// Names of models; none: all that are installed.
    pub models: Vec<String>,
    /// Which precisions.
    pub precisions: Vec<Precision>,
    /// Which numbers of threads; none: all cores, and 1.
    pub threads: Vec<usize>,
    /// How many rooms to try; none: it is searched for how many stay real-time.
    pub rooms: Vec<usize>,
    /// What is spoken; nothing: found for each utterance.
    pub language: Option<Language>,
    /// What models run on.
    pub device: DeviceChoice,
    /// The recordings. Where they have transcripts, error rates are measured.
    pub recordings: Vec<Listed>,
    /// An empty folder for the rooms' data, which the caller erases.
    pub scratch: PathBuf,
    /// This program, to be started from nothing.
    pub binary: PathBuf,
    /// How long to measure what.
    pub plan: Plan,
    /// When it is, in UTC, for the report.
    pub at: String,
}

/// Measures all settings; when asked to stop, what was measured until then is reported.
///
/// # Errors
/// Models or recordings that cannot be used at all. What fails in one setting is in the report.
pub fn run(request: &Request, stop: &Stop, watch: &dyn Watch) -> Result<Report, BenchError> {
    let begin = Instant::now();
    let device = device_name(&request.device.open()?);
    let machine = Machine::describe();
    if machine.was_busy() {
        watch.say("something else is using this machine: the figures will be lower than it can do");
    }
    let candidates = speech_models(&request.models_folder, &request.models)?;
    let common = Common::load(&request.models_folder, request.language, request.device)?;
    watch.stage("reading recordings", 1);
    let recordings = load(&request.recordings, request.plan.recordings_seconds)?;
    let scored = recordings.iter().all(|recording| recording.transcript.is_some());
    let talk = Talk::new(&recordings, Arc::clone(&common.detector))?;
    let scorer = scored.then(Scorer::load).transpose()?;
    let stage = Stage::open(&request.scratch)?;
    let names: Vec<&str> = candidates.iter().map(|candidate| candidate.installed.name.as_str()).collect();
    let threads = if request.threads.is_empty() { vec![machine::cores(), 1] } else { request.threads.clone() };
    let settings = Setting::all(&names, &request.precisions, &threads);

    let mut bench = Bench { request, common, recordings, scorer, stage, talk, stop, watch };
    let first: Vec<bool> = settings.iter().enumerate().map(|(index, setting)| !known(settings.get(..index), setting)).collect();
    let mut measured: Vec<Measured> = Vec::new();
    for (index, setting) in settings.iter().enumerate() {
        let Some(candidate) = candidates.iter().find(|candidate| candidate.installed.name == setting.model) else { continue };
        if stop.asked() {
            break;
        }
        watch.setting(index + 1, settings.len(), setting);
        let share = request.plan.share(begin.elapsed(), first.get(index..).unwrap_or_default());
        let mut found = Measured::new(setting, candidate.installed.weights_sha256.as_str());
        if let Err(error) = bench.measure(&mut found, candidate, setting, share, !first.get(index).unwrap_or(&true)) {
            watch.say(&format!("{setting}: {error}"));
            found.failure = Some(error.to_string());
        }
        measured.push(found);
    }
    let complete = !stop.asked() && measured.iter().all(|setting| setting.failure.is_none());
    let used = bench.used();
    Ok(report(request, begin.elapsed(), complete, (machine, device), used, measured))
}

/// Whether an earlier setting gives the same texts.
fn known(earlier: Option<&[Setting]>, setting: &Setting) -> bool {
    let same = |other: &Setting| other.model == setting.model && other.precision == setting.precision;
    earlier.unwrap_or_default().iter().any(same)
}

/// What all settings are measured with.
struct Bench<'a> {
    request: &'a Request,
    common: Common,
    recordings: Vec<Loaded>,
    scorer: Option<Scorer>,
    stage: Stage,
    talk: Talk,
    stop: &'a Stop,
    watch: &'a dyn Watch,
}

impl Bench<'_> {
    /// Measures one setting and notes each figure as soon as it is there. `known`: its texts were scored with other threads.
    fn measure(
        &mut self,
        found: &mut Measured,
        candidate: &Candidate,
        setting: &Setting,
        share: Option<Share>,
        known: bool,
    ) -> Result<(), BenchError> {
        let begin = Instant::now();
        found.cold_start = self.start_from_nothing(candidate, setting, share)?;
        if self.stop.asked() {
            return Ok(());
        }
        self.watch.stage("loading the model", 1);
        let engine = Engine::start(self.common.models(setting, &candidate.installed)?)?;
        // The recordings come last and get what time is left: the more of them, the surer the error rate.
        self.find_rooms(found, &engine, share.map(|share| begin + share.all.saturating_sub(share.recordings)))?;
        let scorer = self.scorer.as_ref().filter(|_| !known);
        let left = |share: Share| share.all.saturating_sub(begin.elapsed());
        let limit = share.map(|share| if known { share.recordings.min(left(share)) } else { left(share) });
        let heard = speed::hear(engine.models(), &self.recordings, scorer, limit, self.stop, self.watch)?;
        if heard.recordings > 0 {
            let real_time_factor = heard.spent.as_secs_f64() / heard.seconds.max(f64::MIN_POSITIVE);
            found.speed = Some(Speed { recordings: heard.recordings, seconds: heard.seconds, real_time_factor });
        }
        found.scores = heard.scores;
        Ok(())
    }

    fn start_from_nothing(
        &self,
        candidate: &Candidate,
        setting: &Setting,
        share: Option<Share>,
    ) -> Result<Option<ColdStart>, BenchError> {
        let Some(recording) = child::choose(&self.recordings) else {
            self.watch.say("no recording is short enough (30 s) to measure a start with");
            return Ok(None);
        };
        let starts = self.request.plan.starts;
        self.watch.stage("starting from nothing", starts as u64);
        let language = self.request.language.map_or("auto", Language::code);
        let begin = Instant::now();
        let (mut times, mut peak) = (Vec::new(), None);
        for number in 0..starts {
            if number > 0 && share.is_some_and(|share| begin.elapsed() >= share.starts) {
                break;
            }
            let Request { binary, models_folder, device, .. } = self.request;
            let how = (candidate, setting, *device);
            let started = child::start(binary, models_folder, how, language, &recording.path, self.stop)?;
            let Some(start) = started else { break };
            times.push(start.first_text);
            peak = peak.max(start.peak_memory);
            self.watch.at(number as u64 + 1);
        }
        times.sort_unstable();
        Ok(percentile(&times, 0.5).map(|middle| ColdStart {
            starts: times.len(),
            recording_seconds: recording.seconds(),
            first_text_ms: milliseconds(middle),
            peak_memory_bytes: peak,
        }))
    }

    /// The numbers of rooms that were asked for; or one room, then as many as stay real-time, while there is time.
    fn find_rooms(&mut self, found: &mut Measured, engine: &Arc<Engine>, end: Option<Instant>) -> Result<(), BenchError> {
        let Plan { step, one_room, .. } = self.request.plan;
        if !self.request.rooms.is_empty() {
            return self.try_rooms(found, engine, step);
        }
        // What the engine itself would let in is for finals alone: half of it is a guess from which doubling goes fast.
        let (_, admitted) = engine.rooms();
        let Some(passes) = self.trial(found, engine, 1, one_room)? else { return Ok(()) };
        let mut search = Search::starting_at((admitted / 2).max(2));
        search.learn(1, passes);
        let note = |search: &Search, found: &mut Measured| {
            let exact = search.next().is_none();
            found.rooms = Some(RoomsFound { most: search.passed(), failed: search.failed(), exact });
        };
        note(&search, found);
        while let Some(rooms) = search.next() {
            let takes = step + AROUND_A_TRIAL;
            if end.is_some_and(|end| Instant::now() + takes > end) {
                break;
            }
            let Some(passes) = self.trial(found, engine, rooms, step)? else { break };
            search.learn(rooms, passes);
            note(&search, found);
        }
        Ok(())
    }

    fn try_rooms(&mut self, found: &mut Measured, engine: &Arc<Engine>, step: Duration) -> Result<(), BenchError> {
        let (mut most, mut failed) = (0, None);
        for rooms in self.request.rooms.clone() {
            match self.trial(found, engine, rooms, step)? {
                Some(true) => most = most.max(rooms),
                Some(false) => failed = Some(failed.unwrap_or(rooms).min(rooms)),
                None => break,
            }
            found.rooms = Some(RoomsFound { most, failed, exact: false });
        }
        Ok(())
    }

    /// Whether so many rooms stay real-time; nothing when it was asked to stop.
    fn trial(
        &mut self,
        found: &mut Measured,
        engine: &Arc<Engine>,
        rooms: usize,
        length: Duration,
    ) -> Result<Option<bool>, BenchError> {
        let step = self.stage.trial(engine, &mut self.talk, rooms, length, self.stop, self.watch)?;
        let passes = step.as_ref().map(|step| step.real_time);
        found.curve.extend(step);
        found.curve.sort_by_key(|step| step.rooms);
        Ok(passes)
    }

    fn used(&self) -> Used {
        Used {
            listed: self.request.recordings.len(),
            used: self.recordings.len(),
            seconds: self.recordings.iter().map(Loaded::seconds).sum(),
            language: self.request.language.map_or("auto", Language::code).to_owned(),
            transcripts: self.scorer.is_some(),
            compared: 0,
        }
    }
}

fn report(
    request: &Request,
    took: Duration,
    complete: bool,
    (machine, device): (Machine, &'static str),
    mut recordings: Used,
    mut settings: Vec<Measured>,
) -> Report {
    recordings.compared =
        settings.iter().map(|setting| setting.scores.len()).filter(|scores| *scores > 0).min().unwrap_or_default();
    for setting in &mut settings {
        setting.settle_accuracy(recordings.compared);
    }
    lend_accuracy(&mut settings);
    Report {
        schema: REPORT_SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        at: request.at.clone(),
        took_seconds: took.as_secs_f64(),
        complete,
        machine,
        device,
        recordings,
        recommendation: recommend(&settings),
        settings,
    }
}

/// The threads do not change a text: what was scored with some of them holds for all.
fn lend_accuracy(settings: &mut [Measured]) {
    let known: Vec<_> = settings.iter().map(|one| (one.model.clone(), one.precision, one.accuracy)).collect();
    for setting in settings {
        let same = known.iter().find(|(model, precision, accuracy)| {
            accuracy.is_some() && *model == setting.model && *precision == setting.precision
        });
        setting.accuracy = setting.accuracy.or_else(|| same.and_then(|(_, _, accuracy)| *accuracy));
    }
}
