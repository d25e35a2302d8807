mod answers;
mod issuer;
mod settings;
mod tokens;
