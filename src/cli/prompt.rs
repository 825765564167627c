//! What the responder types.
