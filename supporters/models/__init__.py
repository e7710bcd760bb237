from supporters.models.consent import Consent, Purpose, Suppression
from supporters.models.disclosure import Disclosure
from supporters.models.donation import Donation, RecurringDonation, Refund
from supporters.models.double import Double, DoubleSearch
from supporters.models.erasure import ErasureRequest
from supporters.models.export import Export, ExportPart
from supporters.models.functions import AddressHash, Fold
from supporters.models.importing import ImportChunk, ImportKey, ImportRow, ImportRun
from supporters.models.inbox import InboxRequest
from supporters.models.letter import Letter
from supporters.models.mapping import SavedMapping
from supporters.models.merge import Merge, MergeBatch, MergeMoved
from supporters.models.organisation import Organisation, OrganisationContact, OrganisationSite
from supporters.models.partner import Handover, PartnerEvent, PartnerUser
from supporters.models.payment import Dispute, PaymentEvent, Pledge
from supporters.models.petition import Petition, PetitionText, Signature, SignatureCount
from supporters.models.preview import ImportPreview, PreviewSlice
from supporters.models.receipt import Receipt, ReceiptBook, ReceiptDay, ReceiptParties
from supporters.models.supporter import Reference, Supporter, Tag
from supporters.models.tally import Tally, TallyScan
from supporters.models.tidying import Tidying
from supporters.models.undo import ImportTrace, ImportUndo

__all__ = [
    "AddressHash",
    "Consent",
    "Disclosure",
    "Dispute",
    "Donation",
    "Double",
    "DoubleSearch",
    "ErasureRequest",
    "Export",
    "ExportPart",
    "Fold",
    "Handover",
    "ImportChunk",
    "ImportKey",
    "ImportPreview",
    "ImportRow",
    "ImportRun",
    "ImportTrace",
    "ImportUndo",
    "InboxRequest",
    "Letter",
    "Merge",
    "MergeBatch",
    "MergeMoved",
    "Organisation",
    "OrganisationContact",
    "OrganisationSite",
    "PartnerEvent",
    "PartnerUser",
    "PaymentEvent",
    "Petition",
    "PetitionText",
    "Pledge",
    "PreviewSlice",
    "Purpose",
    "Receipt",
    "ReceiptBook",
    "ReceiptDay",
    "ReceiptParties",
    "RecurringDonation",
    "Reference",
    "Refund",
    "SavedMapping",
    "Signature",
    "SignatureCount",
    "Supporter",
    "Suppression",
    "Tag",
    "Tally",
    "TallyScan",
    "Tidying",
]
