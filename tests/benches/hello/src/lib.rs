//! The least that an HTTP component can do: answer every request with the same few bytes.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Hello;

impl Guest for Hello {
    fn handle(_: IncomingRequest, answer: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("a new response has its body");
        ResponseOutparam::set(answer, Ok(response));
        let stream = body.write().expect("a new body has its stream");
        stream.blocking_write_and_flush(b"hello").expect("the client reads");
        drop(stream);
        OutgoingBody::finish(body, None).expect("the body is as long as announced");
    }
}

wasip2::http::proxy::export!(Hello);
