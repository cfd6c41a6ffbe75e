"""The roof: settings, wiring, web app, workers, command line; the only place that knows everybody."""
