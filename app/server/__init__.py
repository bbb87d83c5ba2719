"""Between the sockets and the application: the gunicorn worker, and the bounds on what others send."""
