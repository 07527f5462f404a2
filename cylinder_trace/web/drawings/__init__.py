"""Pictures drawn on the server: SVG coloured by the page's CSS classes, so that they work under a strict policy."""
