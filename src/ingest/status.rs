//! How far a composite is.

/// The states of the RFC, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Pending,
    FetchingOrigin,
    Rasterizing,
    PushingToDlcs,
    BuildingDlcsRequest,
    Completed,
    Error,
}

const ALL: [Status; 7] = [
    Status::Pending,
    Status::FetchingOrigin,
    Status::Rasterizing,
    Status::PushingToDlcs,
    Status::BuildingDlcsRequest,
    Status::Completed,
    Status::Error,
];

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::FetchingOrigin => "FETCHING_ORIGIN",
            Self::Rasterizing => "RASTERIZING",
            Self::PushingToDlcs => "PUSHING_TO_DLCS",
            Self::BuildingDlcsRequest => "BUILDING_DLCS_REQUEST",
            Self::Completed => "COMPLETED",
            Self::Error => "ERROR",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether nothing comes after it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_as_it_is_written() {
        for status in ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("pending"), None);
    }
}
