//! A WebSocket to a bridge.

use std::rc::Rc;

use nanonet::{Channel, LinkId};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use web_sys::{BinaryType, WebSocket};

use super::channel::message;
use super::driver::Driver;

/// Listeners end with it; the socket itself ends with [`Socket::close`].
pub(super) struct Socket {
    socket: WebSocket,
    _listeners: [Closure<dyn FnMut(JsValue)>; 3],
}

impl Socket {
    /// Dials; what happens is told to the driver. Fails for an address the browser does not take.
    pub(super) fn dial(url: &str, link: LinkId, driver: &Rc<Driver>) -> Result<Self, JsValue> {
        let socket = WebSocket::new(url)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let listen = |react: fn(&Rc<Driver>, LinkId, JsValue)| {
            let driver = Rc::clone(driver);
            Closure::<dyn FnMut(JsValue)>::new(move |event| react(&driver, link, event))
        };
        let listeners = [
            listen(|driver, link, _| driver.carrier_opened(link)),
            listen(|driver, link, event| {
                driver.carrier_received(link, Channel::Ordered, message(&event));
            }),
            // Every error is followed by this.
            listen(|driver, link, _| driver.carrier_closed(link)),
        ];
        let [open, message, close] = &listeners;
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        Ok(Self {
            socket,
            _listeners: listeners,
        })
    }

    /// Sends one message.
    pub(super) fn send(&self, bytes: &[u8]) -> bool {
        self.socket.send_with_u8_array(bytes).is_ok()
    }

    /// Bytes not yet given to the network.
    pub(super) fn buffered(&self) -> u32 {
        self.socket.buffered_amount()
    }

    /// Closes it after what was sent, without another word to the driver.
    pub(super) fn close(&self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Throws only for codes and reasons, of which there are none.
        let _ = self.socket.close();
    }
}
