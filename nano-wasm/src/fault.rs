//! Errors on their way to JavaScript.

use wasm_bindgen::JsValue;

/// An error with a stable code for programs and a message for people; `NanoError` in JavaScript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Kebab-case.
    pub code: &'static str,
    /// What happened, to what, what can be done.
    pub message: String,
}

impl Fault {
    /// Makes a closure for `map_err` that gives any error this code.
    pub(crate) fn coded<E: core::fmt::Display>(code: &'static str) -> impl Fn(E) -> Self {
        move |error| Self {
            code,
            message: error.to_string(),
        }
    }
}

impl From<Fault> for JsValue {
    /// A JavaScript error whose name is `nano:` and the code.
    fn from(fault: Fault) -> Self {
        let error = js_sys::Error::new(&fault.message);
        error.set_name(&format!("nano:{}", fault.code));
        error.into()
    }
}
