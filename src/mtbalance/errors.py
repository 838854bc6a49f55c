"""UserError: the base of all errors that a user can fix."""


class UserError(ValueError):
    """Wrong input of any kind. The message names the file, the key or the row, and says what to do.

    The command line prints it without a traceback; any other exception is a fault of this package and keeps its own.
    """
