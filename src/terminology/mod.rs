//! Clinical concepts, their codes and the forms people say.
