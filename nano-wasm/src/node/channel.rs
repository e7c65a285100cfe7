//! A data channel to another browser, which the page has transferred to this worker.
//!
//! A connection has an ordered one, which carries the link, and unless its peer is of another make an
//! unordered one for queries.

use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};
use nanonet::Channel as Kind;
use nanonet::LinkId;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};

use super::driver::Driver;
use super::links::LOW_WATER;

/// Listeners end with it; the channel itself ends with [`Channel::close`].
pub(super) struct Channel {
    channel: RtcDataChannel,
    _listeners: [Closure<dyn FnMut(JsValue)>; 4],
}

impl Channel {
    /// Takes a channel over; what happens to it is told to the driver.
    pub(super) fn adopt(
        channel: RtcDataChannel,
        kind: Kind,
        link: LinkId,
        driver: &Rc<Driver>,
    ) -> Self {
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        channel.set_buffered_amount_low_threshold(LOW_WATER);
        let listen = |react: fn(&Rc<Driver>, LinkId, Kind, JsValue)| {
            let driver = Rc::clone(driver);
            Closure::<dyn FnMut(JsValue)>::new(move |event| react(&driver, link, kind, event))
        };
        let listeners = [
            listen(|driver, link, kind, _| match kind {
                Kind::Ordered => driver.carrier_opened(link),
                Kind::Unordered => driver.unordered_changed(link, true),
            }),
            listen(|driver, link, kind, event| {
                driver.carrier_received(link, kind, message(&event));
            }),
            listen(|driver, link, _, _| driver.carrier_drained(link)),
            listen(|driver, link, kind, _| match kind {
                Kind::Ordered => driver.carrier_closed(link),
                Kind::Unordered => driver.unordered_changed(link, false),
            }),
        ];
        let [open, message, drained, close] = &listeners;
        channel.set_onopen(Some(open.as_ref().unchecked_ref()));
        channel.set_onmessage(Some(message.as_ref().unchecked_ref()));
        channel.set_onbufferedamountlow(Some(drained.as_ref().unchecked_ref()));
        channel.set_onclose(Some(close.as_ref().unchecked_ref()));
        Self {
            channel,
            _listeners: listeners,
        }
    }

    /// A channel may arrive open; whether it still tells so differs between browsers.
    pub(super) fn is_open(&self) -> bool {
        self.channel.ready_state() == RtcDataChannelState::Open
    }

    /// Sends one message.
    pub(super) fn send(&self, bytes: &[u8]) -> bool {
        self.channel.send_with_u8_array(bytes).is_ok()
    }

    /// Bytes not yet given to the network.
    pub(super) fn buffered(&self) -> u32 {
        self.channel.buffered_amount()
    }

    /// Closes it after what was sent, without another word to the driver.
    pub(super) fn close(&self) {
        self.channel.set_onopen(None);
        self.channel.set_onmessage(None);
        self.channel.set_onbufferedamountlow(None);
        self.channel.set_onclose(None);
        self.channel.close();
    }
}

/// The bytes of a message event; `None` for text, which nodes do not speak.
pub(super) fn message(event: &JsValue) -> Option<Uint8Array> {
    let data = event.dyn_ref::<MessageEvent>()?.data();
    Some(Uint8Array::new(data.dyn_ref::<ArrayBuffer>()?))
}
