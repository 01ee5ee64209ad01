//! Text at the edge: one character is one byte (Latin-1).

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Whether every byte is printable ASCII, of which nothing needs a closer look.
///
/// Eight bytes are looked at together, the last eight of a value perhaps twice.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().all(|byte| (0x20..0x7F).contains(byte));
    };
    let words = bytes.as_chunks::<8>().0.iter().chain([last]);
    words.fold(0, |odd, word| odd | not_plain(u64::from_le_bytes(*word))) & HIGH == 0
}

/// Whether no byte is a control character.
pub(crate) fn has_no_control(bytes: &[u8]) -> bool {
    !bytes.iter().any(u8::is_ascii_control)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// Whether one of eight bytes is none of 0x20 to 0x7E, in the high bits: it has such a bit, or the difference to 0x20
/// has, or 0x7F has become 0x80. Only an odd byte can carry into the next.
#[inline]
const fn not_plain(word: u64) -> u64 {
    word | word.wrapping_sub(0x20 * ONES) | word.wrapping_add(ONES)
}

/// The bytes of a `str`, as UTF-8.
///
/// # Safety
///
/// `object` must be a live `str`, and must stay alive while the result is used.
#[inline]
pub(crate) unsafe fn ascii<'a>(object: *mut ffi::PyObject) -> Option<&'a [u8]> {
    let mut size: ffi::Py_ssize_t = 0;
    // SAFETY: `object` is a `str`. For ASCII this returns a view of its own memory.
    let data = unsafe { ffi::PyUnicode_AsUTF8AndSize(object, &raw mut size) };
    if data.is_null() {
        // SAFETY: the interpreter is attached; a lone surrogate has no UTF-8, which is no error here.
        unsafe { ffi::PyErr_Clear() };
        return None;
    }
    // SAFETY: the interpreter says that `size` bytes are there, for as long as the `str` lives.
    Some(unsafe { std::slice::from_raw_parts(data.cast(), size.cast_unsigned()) })
}

/// Whether an object is an exact `bytes`.
///
/// # Safety
///
/// `object` must be alive.
#[inline]
pub(crate) unsafe fn is_bytes(object: *mut ffi::PyObject) -> bool {
    // SAFETY: `object` is alive.
    unsafe { ffi::Py_TYPE(object) == &raw mut ffi::PyBytes_Type }
}

/// The contents of an exact `bytes`.
///
/// # Safety
///
/// `object` must be an exact `bytes`, alive for as long as the result is used.
#[inline]
pub(crate) unsafe fn bytes<'a>(object: *mut ffi::PyObject) -> &'a [u8] {
    // SAFETY: a `bytes` is an object of variable size, and its contents are that long.
    unsafe {
        let size = ffi::Py_SIZE(object);
        std::slice::from_raw_parts(ffi::PyBytes_AsString(object).cast(), size.cast_unsigned())
    }
}

/// The contents of an exact `str` (as UTF-8) or `bytes`.
///
/// # Safety
///
/// `object` must be alive for as long as the result is used.
#[inline]
pub(crate) unsafe fn exact<'a>(object: *mut ffi::PyObject) -> Option<&'a [u8]> {
    // SAFETY: `object` is alive, and its type is checked before it is read.
    unsafe {
        let class = ffi::Py_TYPE(object);
        if class == &raw mut ffi::PyUnicode_Type {
            ascii(object)
        } else if is_bytes(object) {
            Some(bytes(object))
        } else {
            None
        }
    }
}

/// The contents of a `str` of a class of its own, such as the names in a multidict. What that defines is not asked.
///
/// # Safety
///
/// `object` must be alive for as long as the result is used.
#[cold]
pub(crate) unsafe fn of_own_class<'a>(object: *mut ffi::PyObject) -> Option<&'a [u8]> {
    // SAFETY: `object` is alive, and its type is checked before it is read.
    unsafe {
        let is_own = ffi::PyUnicode_Check(object) != 0 && ffi::PyUnicode_CheckExact(object) == 0;
        if is_own { ascii(object) } else { None }
    }
}

/// The contents of a name: as `exact`, or `of_own_class`.
///
/// # Safety
///
/// `object` must be alive for as long as the result is used.
#[inline]
pub(crate) unsafe fn name<'a>(object: *mut ffi::PyObject) -> Option<&'a [u8]> {
    // SAFETY: as promised by the caller.
    unsafe { exact(object).or_else(|| of_own_class(object)) }
}

/// The bytes of a `str` of ASCII alone, which are the same in every encoding.
fn ascii_of<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a [u8]> {
    // SAFETY: `text` is a `str`, and alive for as long as the result.
    unsafe { ascii(text.as_ptr()) }.filter(|bytes| bytes.is_ascii())
}

/// The bytes that `text` stands for on the wire, or none where a character has no byte.
pub(crate) fn latin1(text: &Bound<'_, PyString>) -> Option<Vec<u8>> {
    if let Some(ascii) = ascii_of(text) {
        return Some(ascii.to_vec());
    }
    // SAFETY: `text` is a `str`; the call gives a new reference, or an error, which is taken off again.
    let encoded =
        unsafe { Bound::from_owned_ptr_or_err(text.py(), ffi::PyUnicode_AsLatin1String(text.as_ptr())) };
    Some(encoded.ok()?.cast::<PyBytes>().ok()?.as_bytes().to_vec())
}

/// The bytes of a `str` that a framework decoded as UTF-8 with `surrogateescape`.
pub(crate) fn utf8(text: &Bound<'_, PyString>) -> Option<Vec<u8>> {
    if let Some(ascii) = ascii_of(text) {
        return Some(ascii.to_vec());
    }
    let encoded = text.call_method1("encode", ("utf-8", "surrogateescape")).ok()?;
    Some(encoded.cast::<PyBytes>().ok()?.as_bytes().to_vec())
}

/// The text that stands for `bytes`.
pub(crate) fn decode<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    let size = ffi::Py_ssize_t::try_from(bytes.len())?;
    // SAFETY: pointer and length are those of a slice; no error handler is needed, since every byte has a character.
    let text = unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyUnicode_DecodeLatin1(bytes.as_ptr().cast(), size, std::ptr::null()),
        )
    }?;
    // SAFETY: the call gives a `str`.
    Ok(unsafe { text.cast_into_unchecked() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_told_apart_at_every_place_of_every_length() {
        for length in 1..80 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = byte;
                    assert_eq!(
                        is_plain(&bytes),
                        (0x20..0x7F).contains(&byte),
                        "{byte:#04x} at {place} of {length}"
                    );
                    assert_eq!(
                        has_no_control(&bytes),
                        byte >= 0x20 && byte != 0x7F,
                        "{byte:#04x} at {place}"
                    );
                }
            }
        }
    }
}
