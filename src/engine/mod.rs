//! The loaded models and the one worker that runs them: finals before partials, rooms in the order they have waited.
//!
//! Invariant: a final is a function of its utterance's audio, the model and the settings, whatever else was asked for meanwhile.
