//! Finds where an object keeps its headers, without importing any framework.

use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use pyo3::exceptions::{PyAttributeError, PyException};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyString, PyTuple, PyType};

use crate::dict::{has, item};
use crate::{error, metadata};

/// Headers in the shape in which a framework keeps them.
pub(crate) enum Carrier<'py> {
    /// A WSGI environ, or Django's `META`: an exact dict.
    Environ(Bound<'py, PyDict>),
    /// Header names to values: an exact dict.
    Dict(Bound<'py, PyDict>),
    /// An exact list or tuple of pairs.
    Pairs(Bound<'py, PyAny>),
    /// Anything else that gives pairs; a multidict gives a list, of text that was decoded as UTF-8.
    Items { items: Bound<'py, PyAny>, utf8: bool },
}

/// How an object gives access to its headers.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Access {
    /// Werkzeug's `LocalProxy`, such as `flask.request`.
    Proxy = 1,
    /// `.environ`: Werkzeug and Django under WSGI, Bottle, `WebOb`, and Werkzeug's `EnvironHeaders`.
    Environ,
    /// `.env`: Falcon under WSGI.
    Env,
    /// `.scope["headers"]`: Starlette, `FastAPI`, Django under ASGI, Quart, Litestar, Falcon.
    Scope,
    /// `.META`: Django's `HttpRequest`.
    Meta,
    /// `.invocation_metadata`: gRPC's `ServicerContext`, where it is a method, and `HandlerCallDetails`.
    Metadata,
    /// `._message.raw_headers`: aiohttp, without the cost of a Python property.
    Message,
    /// `.raw_headers`: aiohttp.
    RawHeaders,
    /// `.raw`: the headers of Starlette and httpx.
    Raw,
    /// `.headers`: any request or message.
    Headers,
    /// `._as_list`: the headers of Tornado, names to lists of values.
    AsList,
    /// `.get_all()`: the same where a later Tornado keeps them otherwise; it joins repeated lines in its `items()`.
    GetAll,
    /// `.items()` of a multidict: aiohttp's, and Sanic's class made of it.
    Multidict,
    /// `.items()`: mappings.
    Items,
    /// An iterable of pairs.
    Iterable,
}

impl Access {
    const ALL: [Self; 15] = [
        Self::Proxy,
        Self::Environ,
        Self::Env,
        Self::Scope,
        Self::Meta,
        Self::Metadata,
        Self::Message,
        Self::RawHeaders,
        Self::Raw,
        Self::Headers,
        Self::AsList,
        Self::GetAll,
        Self::Multidict,
        Self::Items,
        Self::Iterable,
    ];
}

/// A proxy to a proxy to ...: deeper than any framework goes, and an end for objects that answer to every name.
const MAX_DEPTH: usize = 4;

/// Finds the headers of `object`.
pub(crate) fn resolve<'py>(object: &Bound<'py, PyAny>) -> PyResult<Carrier<'py>> {
    match find(object, MAX_DEPTH) {
        Ok(Some(carrier)) => Ok(carrier),
        Ok(None) => {
            let class = error::type_name(object);
            let message = format!(
                "`{class}` holds no headers that Onward can read; pass the request itself (Flask, Django, Starlette, \
                 FastAPI, aiohttp, Tornado, Sanic ...), a WSGI environ, an ASGI scope, a mapping, or a list of (name, value) pairs"
            );
            Err(error::carrier(object.py(), &class, &message))
        }
        Err(cause) => Err(error::in_carrier(object, cause)),
    }
}

/// Whether an argument of a handler is the request, rather than something else that holds headers or pairs.
pub(crate) fn is_request(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    asked(object, MAX_DEPTH).or_else(|error| {
        // What cannot even be asked (a lazy object without its backend, an unbound proxy) is no request.
        if error.is_instance_of::<PyException>(object.py()) { Ok(false) } else { Err(error) }
    })
}

fn asked(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<bool> {
    const REQUESTS: [Access; 7] = [
        Access::Environ,
        Access::Env,
        Access::Scope,
        Access::Meta,
        Access::Metadata,
        Access::Message,
        Access::RawHeaders,
    ];
    if let Ok(dict) = object.cast::<PyDict>() {
        return Ok(matches!(in_dict(dict)?, Some(Carrier::Environ(_) | Carrier::Pairs(_))));
    }
    if depth == 0 || is_builtin(object) {
        return Ok(false);
    }
    let hint = hint(object);
    if let Some(access) = hint.filter(|access| REQUESTS.contains(access))
        && let Some(there) = request_by(object, access)?
    {
        return Ok(there);
    }
    if hint == Some(Access::Headers) && is_message(object)? {
        return Ok(true);
    }
    if let Some(inner) = proxied(object)? {
        return asked(&inner, depth - 1);
    }
    for access in REQUESTS {
        if let Some(there) = request_by(object, access)? {
            return Ok(there);
        }
    }
    is_message(object)
}

/// Whether an object has a method and headers, as the requests of Tornado and Sanic.
fn is_message(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(attribute(object, intern!(object.py(), "method"))?.is_some_and(|it| it.is_instance_of::<PyString>())
        && attribute(object.get_type().as_any(), intern!(object.py(), "DESCRIPTOR"))?.is_none()
        && follow(object, Access::Headers, 2)?.is_some())
}

/// Whether an object that keeps headers in this way has a request now: outside of one, Bottle's environ is empty.
fn request_by(object: &Bound<'_, PyAny>, access: Access) -> PyResult<Option<bool>> {
    match follow(object, access, 1) {
        Ok(Some(Carrier::Environ(environ))) => {
            has(&environ, intern!(object.py(), "REQUEST_METHOD")).map(Some)
        }
        Ok(found) => Ok(found.map(|_| true)),
        Err(error) if error.is_instance_of::<PyException>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The types of nearly every other argument of a handler.
fn is_builtin(object: &Bound<'_, PyAny>) -> bool {
    object.is_none()
        || object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyInt>()
        || object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
}

/// Whether an object is an exact list or tuple, which runs no code of anybody's when it is read.
pub(crate) fn is_pairs(object: &Bound<'_, PyAny>) -> bool {
    object.is_exact_instance_of::<PyList>() || object.is_exact_instance_of::<PyTuple>()
}

fn find<'py>(object: &Bound<'py, PyAny>, depth: usize) -> PyResult<Option<Carrier<'py>>> {
    if let Ok(dict) = object.cast::<PyDict>() {
        return in_dict(dict);
    }
    if is_pairs(object) {
        return Ok(Some(Carrier::Pairs(object.clone())));
    }
    if depth == 0 || object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
        return Ok(None);
    }
    if let Some(access) = hint(object)
        && let Some(carrier) = follow(object, access, depth)?
    {
        return Ok(Some(carrier));
    }
    let mut failure = None;
    for access in Access::ALL {
        // What is broken is not iterated over, which could read a request's body.
        if failure.is_some() && matches!(access, Access::Multidict | Access::Items | Access::Iterable) {
            break;
        }
        match follow(object, access, depth) {
            Ok(Some(carrier)) => {
                remember(object, access);
                return Ok(Some(carrier));
            }
            Ok(None) => {}
            // Sanic's `scope` raises where there is no ASGI, and its `raw_headers` where a request has none.
            Err(error) if error.is_instance_of::<PyException>(object.py()) => {
                failure.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    failure.map_or(Ok(None), Err)
}

/// A dict is an environ, an ASGI scope, or a dict of headers.
fn in_dict<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Option<Carrier<'py>>> {
    let py = dict.py();
    let exact = dict.is_exact_instance_of::<PyDict>();
    if exact && has(dict, intern!(py, "REQUEST_METHOD"))? {
        return Ok(Some(Carrier::Environ(dict.clone())));
    }
    if let Some(headers) = in_scope(dict)? {
        return Ok(Some(headers));
    }
    Ok(Some(if exact {
        Carrier::Dict(dict.clone())
    } else {
        Carrier::Items { items: dict.call_method0(intern!(py, "items"))?, utf8: false }
    }))
}

fn in_scope<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Option<Carrier<'py>>> {
    let py = dict.py();
    let Some(headers) = item(dict, intern!(py, "headers"))? else { return Ok(None) };
    if !item(dict, intern!(py, "type"))?.is_some_and(|kind| kind.is_instance_of::<PyString>()) {
        return Ok(None);
    }
    Ok(if is_pairs(&headers) {
        Some(Carrier::Pairs(headers))
    } else if headers.is_instance_of::<PyString>() || headers.is_instance_of::<PyBytes>() {
        None
    } else {
        Some(Carrier::Items { items: headers, utf8: false })
    })
}

/// Reads the headers in one way; none where the object has no such way.
#[inline]
fn follow<'py>(object: &Bound<'py, PyAny>, access: Access, depth: usize) -> PyResult<Option<Carrier<'py>>> {
    let py = object.py();
    match access {
        Access::Proxy => match proxied(object)? {
            Some(inner) => find(&inner, depth - 1),
            None => Ok(None),
        },
        Access::Environ => Ok(dict_in(object, intern!(py, "environ"))?.map(Carrier::Environ)),
        Access::Meta => Ok(dict_in(object, intern!(py, "META"))?.map(Carrier::Environ)),
        Access::Env => match dict_in(object, intern!(py, "env"))? {
            Some(environ) if has(&environ, intern!(py, "REQUEST_METHOD"))? => {
                Ok(Some(Carrier::Environ(environ)))
            }
            _ => Ok(None),
        },
        Access::Metadata => {
            let Some(found) = attribute(object, intern!(py, "invocation_metadata"))? else { return Ok(None) };
            let pairs = if found.is_callable() { found.call0()? } else { found };
            Ok(metadata::on_the_wire(&pairs)?.map(|pairs| Carrier::Pairs(pairs.into_any())))
        }
        Access::Scope => match dict_in(object, intern!(py, "scope"))? {
            Some(scope) => in_scope(&scope),
            None => Ok(None),
        },
        Access::Message => match attribute(object, intern!(py, "_message"))? {
            Some(message) => pairs_in(&message, intern!(py, "raw_headers")),
            None => Ok(None),
        },
        Access::RawHeaders => pairs_in(object, intern!(py, "raw_headers")),
        Access::Raw => pairs_in(object, intern!(py, "raw")),
        Access::Headers => match attribute(object, intern!(py, "headers"))? {
            Some(headers) if !headers.is_callable() => find(&headers, depth - 1),
            _ => Ok(None),
        },
        Access::AsList => Ok(dict_in(object, intern!(py, "_as_list"))?.map(Carrier::Dict)),
        // Tornado alone has both; the `get_all` of others takes a name.
        Access::GetAll => {
            match (method(object, intern!(py, "get_list"))?, method(object, intern!(py, "get_all"))?) {
                (Some(_), Some(get_all)) => Ok(Some(Carrier::Items { items: get_all.call0()?, utf8: false })),
                _ => Ok(None),
            }
        }
        Access::Multidict => {
            if hint(object) != Some(Access::Multidict) && !is_multidict(object)? {
                return Ok(None);
            }
            let items = object.call_method0(intern!(py, "items"))?;
            // SAFETY: `items` is alive; the call gives a new list, or an error.
            let list = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PySequence_List(items.as_ptr())) };
            Ok(Some(Carrier::Items { items: list?, utf8: true }))
        }
        Access::Items => {
            let Some(items) = method(object, intern!(py, "items"))? else { return Ok(None) };
            Ok(Some(Carrier::Items { items: items.call0()?, utf8: false }))
        }
        Access::Iterable => Ok(attribute(object.get_type().as_any(), intern!(py, "__iter__"))?
            .filter(|iter| !iter.is_none())
            .map(|_| Carrier::Items { items: object.clone(), utf8: false })),
    }
}

/// What a `LocalProxy` stands for. The type is asked first: a proxy would look the name up in what it stands for.
fn proxied<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let name = intern!(object.py(), "_get_current_object");
    if hint(object) != Some(Access::Proxy) && attribute(object.get_type().as_any(), name)?.is_none() {
        return Ok(None);
    }
    object.getattr(name)?.call0().map(Some)
}

/// Whether the text in it was decoded as UTF-8.
fn is_multidict(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    for class in object.get_type().mro() {
        let module = class.cast::<PyType>()?.module()?;
        if module.to_str().is_ok_and(|module| module.split('.').next() == Some("multidict")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A method; none where the object has no such attribute, or something else by that name.
fn method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(attribute(object, name)?.filter(Bound::is_callable))
}

/// An attribute; none where there is none.
fn attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match object.getattr(name) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyAttributeError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn dict_in<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    Ok(attribute(object, name)?.and_then(|value| value.cast_into_exact::<PyDict>().ok()))
}

fn pairs_in<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Option<Carrier<'py>>> {
    Ok(attribute(object, name)?.filter(is_pairs).map(Carrier::Pairs))
}

/// The types met so far, and how their headers were found: what fails costs an exception each, so that trying all
/// ways in turn would cost more than the work. Bounded, since each entry keeps its type alive.
static TYPES: [(AtomicPtr<ffi::PyTypeObject>, AtomicU8); 16] =
    [const { (AtomicPtr::new(std::ptr::null_mut()), AtomicU8::new(0)) }; 16];
static TAKEN: AtomicUsize = AtomicUsize::new(0);

#[inline]
fn hint(object: &Bound<'_, PyAny>) -> Option<Access> {
    let class = object.get_type_ptr();
    let taken = TAKEN.load(Ordering::Acquire).min(TYPES.len());
    let (_, access) = TYPES[..taken].iter().find(|(known, _)| known.load(Ordering::Acquire) == class)?;
    let access = access.load(Ordering::Relaxed);
    Access::ALL.into_iter().find(|known| *known as u8 == access)
}

fn remember(object: &Bound<'_, PyAny>, access: Access) {
    if hint(object).is_some() {
        return;
    }
    let at = TAKEN.load(Ordering::Relaxed);
    // Another thread that took the same place at the same time only costs this type its hint.
    if at >= TYPES.len() || TAKEN.compare_exchange(at, at + 1, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        return;
    }
    let (known, stored) = &TYPES[at];
    stored.store(access as u8, Ordering::Relaxed);
    // Kept for good, so that no other type can ever have this address.
    known.store(object.get_type().unbind().into_ptr().cast(), Ordering::Release);
}
