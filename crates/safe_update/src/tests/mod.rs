mod carried;
mod fake;
mod journal;
mod orders;
mod surveyed;
mod wants;
