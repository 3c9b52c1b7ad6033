pub mod jp2;
