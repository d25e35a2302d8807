//! Guards against invented text.
