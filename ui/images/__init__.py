"""Image files as visitors send them: media types, metadata, previews and downscaling."""
