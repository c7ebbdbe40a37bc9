"""The messages that each service reads, with the fields that it may see of them.

Generated from schemas/ by `make schemas`; a test holds it equal. Change a schema, not this file.
The record's name tells the type of the fields: `if message.record == "Referral"` narrows both.
"""

from __future__ import annotations

from typing import Literal

from signal_exchange.contracts import records
from signal_exchange.stream.messages import Message

AcceptedSignalMessage = Message[Literal["AcceptedSignal"], records.AcceptedSignal]
AgendaItemMessage = Message[Literal["AgendaItem"], records.AgendaItem]
ChairAlertMessage = Message[Literal["ChairAlert"], records.ChairAlert]
CheckpointMessage = Message[Literal["Checkpoint"], records.Checkpoint]
ClusterMembershipMessage = Message[Literal["ClusterMembership"], records.ClusterMembership]
LinkAnswerMessage = Message[Literal["LinkAnswer"], records.LinkAnswer]
LinkCandidateMessage = Message[Literal["LinkCandidate"], records.LinkCandidate]
LinkTokensMessage = Message[Literal["LinkTokens"], records.LinkTokens]
MunicipalAnswerMessage = Message[Literal["MunicipalAnswer"], records.MunicipalAnswer]
ObservationMessage = Message[Literal["Observation"], records.Observation]
OutcomeMessage = Message[Literal["Outcome"], records.Outcome]
ParkedRecordMessage = Message[Literal["ParkedRecord"], records.ParkedRecord]
ReferralMessage = Message[Literal["Referral"], records.Referral]
RetryRequestMessage = Message[Literal["RetryRequest"], records.RetryRequest]
SignalErasedMessage = Message[Literal["SignalErased"], records.SignalErased]
SignalPublishedMessage = Message[Literal["SignalPublished"], records.SignalPublished]
SignalViewMessage = Message[Literal["SignalView"], records.SignalView]
SignalWithdrawnMessage = Message[Literal["SignalWithdrawn"], records.SignalWithdrawn]
TokensRenewedMessage = Message[Literal["TokensRenewed"], records.TokensRenewed]
TraceFactMessage = Message[Literal["TraceFact"], records.TraceFact]
FeedbackTraceFactMessage = Message[Literal["TraceFact"], records.FeedbackTraceFact]
OversightParkedRecordMessage = Message[Literal["ParkedRecord"], records.OversightParkedRecord]
RebuildTraceFactMessage = Message[Literal["TraceFact"], records.RebuildTraceFact]
RoutingOutcomeMessage = Message[Literal["Outcome"], records.RoutingOutcome]

AgendaReads = AgendaItemMessage | ChairAlertMessage | ClusterMembershipMessage | LinkCandidateMessage
FeedbackReads = OutcomeMessage | FeedbackTraceFactMessage
LinkingReads = LinkTokensMessage | LinkAnswerMessage
MunicipalityReads = SignalViewMessage
OversightReads = TraceFactMessage | OversightParkedRecordMessage
RebuildReads = RebuildTraceFactMessage
RetryReads = RetryRequestMessage | ParkedRecordMessage
RoutingReads = (
    SignalPublishedMessage
    | SignalWithdrawnMessage
    | MunicipalAnswerMessage
    | TokensRenewedMessage
    | SignalErasedMessage
    | CheckpointMessage
    | RoutingOutcomeMessage
    | AcceptedSignalMessage
    | ClusterMembershipMessage
)
StatisticsReads = ObservationMessage
WorklistReads = ReferralMessage
