//! Empty: its build script adds libraries to what links it, after it looked whether they link.
#![no_std]
