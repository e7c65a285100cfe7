//! The browser node: I/O for nanonet and the JavaScript API, published as the npm package.
