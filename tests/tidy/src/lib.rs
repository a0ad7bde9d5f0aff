//! What must never be: the reading of the repository that the tests beside this file judge.
