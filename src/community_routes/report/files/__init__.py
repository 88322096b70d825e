"""Results as files: tables come in; CSV, XLSX, PDF and GeoPackage go out."""
