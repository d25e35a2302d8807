//! One file a model family, all of the same shape.
