//! The table has a case for everything, and a change counts with the first image that has it.
